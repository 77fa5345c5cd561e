/**
 * SQL over the rows of one key in `key_totals`: the organization whose tokens reported it, '' when any token of the platform did as well. It owns a
 * key that nobody registered: what the platform's own gateway reports must not become readable by whoever names the same key.
 */
export const USED_BY = "if(max(reported_unbound) = 1, '', max(organization_id))";
