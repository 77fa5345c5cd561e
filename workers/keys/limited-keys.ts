import type { KeyCondition } from './key-directory.ts';

/**
 * Registered keys with the limits that hold for them, as SQL: the key's own, else those of its plan (of its organization, else the
 * common one). A condition on the limits can be appended.
 */
export function limitedKeys(condition: KeyCondition): string {
  return `SELECT k.key_id AS key_id, k.organization_id AS organization_id, k.environment AS environment, k.plan AS plan, k.name AS name,
    k.status = 'active' AND NOT k.deleted AS active,
    ifNull(k.limit_per_minute, if(own.plan != '', own.limit_per_minute, common.limit_per_minute)) AS per_minute,
    ifNull(k.limit_per_day, if(own.plan != '', own.limit_per_day, common.limit_per_day)) AS per_day,
    ifNull(k.limit_per_month, if(own.plan != '', own.limit_per_month, common.limit_per_month)) AS per_month,
    ifNull(k.limit_burst, if(own.plan != '', own.limit_burst, common.limit_burst)) AS burst
  FROM (SELECT * FROM keys FINAL WHERE ${condition}) AS k
  LEFT JOIN (SELECT * FROM plans FINAL WHERE NOT deleted AND organization_id != '') AS own ON own.organization_id = k.organization_id AND own.plan = k.plan
  LEFT JOIN (SELECT * FROM plans FINAL WHERE NOT deleted AND organization_id = '') AS common ON common.plan = k.plan`;
}
