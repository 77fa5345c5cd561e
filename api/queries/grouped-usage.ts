import type { Store } from '../../workers/clickhouse/store.ts';
import { USED_BY } from '../../workers/keys/used-by.ts';
import type { Range } from './calendar.ts';
import { segmentsOf } from './segments.ts';
import { dimensionRows, type KeyFilter, usageRows } from './union.ts';

export const GROUPS = [
  'organization_id',
  'customer_id',
  'key_id',
  'service',
  'environment',
  'country',
  'route',
  'status',
  'plan',
] as const;
export type Group = (typeof GROUPS)[number];

export interface GroupRow {
  group: string;
  requests: number;
  client_errors: number;
  server_errors: number;
  error_rate: number;
}

const FIGURES = `sum(requests) AS requests, sum(client_errors) AS client_errors, sum(server_errors) AS server_errors,
  if(requests = 0, 0, (client_errors + server_errors) / requests) AS error_rate`;
const ORDER = 'ORDER BY requests DESC, group LIMIT {limit:UInt32}';

/** Usage of many keys together, by one property, the largest groups first. */
export async function readGroupedUsage(
  store: Store,
  group: Group,
  range: Range,
  keys: KeyFilter,
  limit: number,
): Promise<GroupRow[]> {
  const segments = segmentsOf(range.from, range.rowsTo, 'day');
  const params = { ...keys.params, limit };
  if (group === 'country' || group === 'route' || group === 'status') {
    const table = ({ country: 'countries', route: 'endpoints', status: 'statuses' } as const)[group];
    const rows = dimensionRows(table, segments, keys, group);
    return store.query(`SELECT toString(${group}) AS group, ${FIGURES} FROM (${rows}) GROUP BY group ${ORDER}`, params);
  }
  const columns = 'key_id, service, environment, requests, client_errors, server_errors';
  const rows = usageRows(segments, keys, columns);
  if (group === 'key_id' || group === 'service' || group === 'environment') {
    return store.query(`SELECT ${group} AS group, ${FIGURES} FROM (${rows}) GROUP BY group ${ORDER}`, params);
  }
  // Properties of the registry: sum per key first, then look each key up once.
  const property = group === 'organization_id' ? "if(k.key_id != '', k.organization_id, t.seen_by)" : `k.${group}`;
  return store.query(
    `SELECT ${property} AS group, ${FIGURES}
     FROM (SELECT key_id, sum(requests) AS requests, sum(client_errors) AS client_errors,
             sum(server_errors) AS server_errors FROM (${rows}) GROUP BY key_id) AS u
     LEFT JOIN (SELECT key_id, organization_id, customer_id, plan FROM keys FINAL) AS k ON u.key_id = k.key_id
     LEFT JOIN (SELECT key_id, ${USED_BY} AS seen_by FROM key_totals GROUP BY key_id) AS t ON u.key_id = t.key_id
     GROUP BY group ${ORDER}`,
    params,
  );
}

/** The keys an organization may see: its registered ones, and those only its own tokens report. */
export function organizationKeys(organizationId: string): KeyFilter {
  return {
    sql: `key_id IN (SELECT key_id FROM keys FINAL WHERE organization_id = {organization_id:String}
      UNION ALL SELECT key_id FROM key_totals WHERE key_id NOT IN (SELECT key_id FROM keys)
      GROUP BY key_id HAVING ${USED_BY} = {organization_id:String})`,
    params: { organization_id: organizationId },
  };
}
