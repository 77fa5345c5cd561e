import type { QueryParams, Store } from '../../workers/clickhouse/store.ts';
import { type KeyFilter, requestCondition } from './union.ts';

/** One request as the explorer shows it. */
export interface RequestRow {
  timestamp: string;
  key_id: string;
  method: string;
  route: string;
  path: string;
  status: number;
  latency_ms: number | null;
  request_bytes: number;
  response_bytes: number;
  ip: string;
  country: string;
  user_agent: string;
  request_id: string;
  service: string;
  environment: string;
  rate_limited: boolean;
  error: string;
}

export const REQUEST_FIELDS = [
  'timestamp',
  'key_id',
  'method',
  'route',
  'path',
  'status',
  'latency_ms',
  'request_bytes',
  'response_bytes',
  'ip',
  'country',
  'user_agent',
  'request_id',
  'service',
  'environment',
  'rate_limited',
  'error',
] as const satisfies readonly (keyof RequestRow)[];

export interface RequestFilter {
  keys: KeyFilter;
  fromMs: number;
  toMs: number;
  /** `404`, or a class as `4xx`; '' = any. */
  status: string;
  method: string;
  route: string;
  country: string;
  service: string;
  environment: string;
  after: RequestCursor | undefined;
  limit: number;
}

/** Position behind the last row of a page; the hash tells apart requests of one millisecond. */
export interface RequestCursor {
  timestampMs: number;
  hash: string;
}

/** Tells rows of one millisecond apart in a stable order; equal rows are interchangeable. */
const ROW_HASH = 'cityHash64(key_id, path, request_id, status, batch_id, latency_ms, response_bytes, user_agent, ip)';

const FROM = 'fromUnixTimestamp64Milli({from:Int64})';
const AFTER = `(timestamp, ${ROW_HASH}) < (fromUnixTimestamp64Milli({after_ms:Int64}), {after_hash:UInt64})`;
/** Of the rows behind a cursor all but those of its own millisecond. */
const EARLIER = 'timestamp < fromUnixTimestamp64Milli({after_ms:Int64})';

/**
 * Newest requests first: `limit` rows, and those that equal the last of them in every part of the cursor, which the
 * next page would skip. The time of the oldest row that may belong to the page is looked up first, so that wide columns are
 * read and hashed for a page and not for the whole range.
 */
export async function listRequests(
  store: Store,
  filter: RequestFilter,
): Promise<(RequestRow & { timestamp_ms: number; row_hash: string })[]> {
  const { conditions, params } = conditionsOf(filter);
  const oldest = `SELECT timestamp FROM requests WHERE ${[...conditions, ...(filter.after ? [EARLIER] : [])].join(' AND ')}
    ORDER BY timestamp DESC LIMIT 1 OFFSET {last:UInt32}`;
  const page = [...conditions, ...(filter.after ? [AFTER] : []), `timestamp >= ifNull((${oldest}), ${FROM})`];
  return store.query(
    `SELECT ${REQUEST_FIELDS.join(', ')}, toUnixTimestamp64Milli(timestamp) AS timestamp_ms, toString(${ROW_HASH}) AS row_hash
     FROM requests WHERE ${page.join(' AND ')}
     ORDER BY timestamp DESC, ${ROW_HASH} DESC LIMIT {limit:UInt32} WITH TIES`,
    { ...params, limit: filter.limit, last: filter.limit - 1 },
  );
}

function conditionsOf(filter: RequestFilter): { conditions: string[]; params: QueryParams } {
  const conditions = [filter.keys.sql, `timestamp >= ${FROM}`, 'timestamp < fromUnixTimestamp64Milli({to:Int64})'];
  const params: Record<string, unknown> = { ...filter.keys.params, from: filter.fromMs, to: filter.toMs };
  const condition = requestCondition(filter);
  conditions.push(condition.sql);
  Object.assign(params, condition.params);
  for (const column of ['service', 'environment'] as const) {
    if (filter[column] === '') continue;
    conditions.push(`${column} = {${column}_is:String}`);
    params[`${column}_is`] = filter[column];
  }
  if (filter.after) {
    params.after_ms = filter.after.timestampMs;
    params.after_hash = filter.after.hash;
  }
  return { conditions, params };
}
