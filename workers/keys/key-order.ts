/**
 * The orders in which keys are listed: the value of each, as SQL over the columns of the directory and `limit_used`.
 * Whole numbers below 2^53: the engine does not read floating ones in their order backwards (of not-a-number), and cursors hold them.
 */
export const ORDER_VALUES = {
  // By the id alone; every order ends with it.
  key_id: '0',
  last_used: 'toUnixTimestamp64Milli(last_used.at)',
  total_requests: 'total_requests',
  requests_30d: 'requests_30d',
  // Finer than two keys with a million requests each can differ.
  error_rate_30d: 'round(error_rate_30d * 1e12)',
  // Keys that never expire stand behind all that do.
  expires_at: 'ifNull(toUnixTimestamp64Milli(expires_at), toInt64(8000000000000000))',
  // Below all that have a limit stand those without.
  limit_used: 'if(limit_used < 0, -1, round(least(limit_used, 1e9) * 1e6))',
} as const;
export type KeyOrder = keyof typeof ORDER_VALUES;
export const KEY_ORDERS = Object.keys(ORDER_VALUES) as [KeyOrder, ...KeyOrder[]];

/** Largest share of a limit in use of a key of {@link import('./limit-use.ts').limitUse}, below 0 when it has none. */
export const LIMIT_USED = "if(limited_id = '', -1, limit_used)";

/** What is searched in, in small letters; a line for each field. */
const SEARCH_TEXT = `lowerUTF8(concat(${['key_id', 'name', 'prefix', 'customer_id', 'organization_id', 'owner_email'].join(", '\\n', ")}))`;

/** Since when nothing was heard of a key: its last use, or the beginning of the time in which one would have been seen. */
const SILENT_SINCE = 'greatest(toUnixTimestamp64Milli(last_used.at), toUnixTimestamp64Milli(tracking_since))';

/** Columns made for choosing keys, as SQL over those of the directory; `key_list_order` holds them ready-made. */
export const CHOOSING_COLUMNS = `${SILENT_SINCE} AS silent_since_ms, ${SEARCH_TEXT} AS search_text`;

/** Rows of a generation in one order, as the columns of `key_list_order`; a SELECT. */
export function orderRows(order: KeyOrder, generation: number): string {
  return `SELECT generation, '${order}' AS sorted_by, toInt64(${ORDER_VALUES[order]}) AS order_value, key_id, organization_id, customer_id,
      environment, status, expires_at, limit_used, ${CHOOSING_COLUMNS}
    FROM key_list WHERE generation = ${generation}`;
}
