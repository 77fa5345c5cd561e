import type { QueryParams } from '../../workers/clickhouse/store.ts';
import type { KeyCondition } from '../../workers/keys/key-directory.ts';
import { type KeyOrder, LIMIT_USED, ORDER_VALUES } from '../../workers/keys/key-order.ts';
import { limitUse } from '../../workers/keys/limit-use.ts';

const DAY_MS = 86_400_000;

/** Which keys are listed. Empty string = any. */
export interface KeyListRequest {
  organizationId: string;
  customerId: string;
  keyId: string;
  environment: string;
  status: string;
  search: string;
  withDeleted: boolean;
  /** Only keys that were watched for this many days and not used in them; 0 = all. */
  unusedDays: number;
  /** Only active keys that expire within this many days; 0 = all. */
  expiresWithinDays: number;
  /** Only active keys of which this much of a limit is in use, in percent; 0 = all. */
  limitUsedPercent: number;
  sort: KeyOrder;
  descending: boolean;
  limit: number;
  after: KeyCursor | undefined;
}

/** Position behind the last row of a page: its sort value and its id. */
export interface KeyCursor {
  value: string | number;
  keyId: string;
}

/** A row's place in its order. */
export interface Position {
  /** The id itself when keys are sorted by it. */
  sort_value: string | number;
  key_id: string;
}

/** Columns by which keys are chosen, beside their value in the order (`order_value`) and the use of their limits (`limit_used`). */
export const CHOOSING_NAMES =
  'key_id, organization_id, customer_id, environment, status, expires_at, silent_since_ms, search_text';

/** One page as a statement. Pure. @param from rows with `order_value`, `limit_used` and {@link CHOOSING_NAMES} */
export function pageOf(
  columns: string,
  from: string,
  request: KeyListRequest,
  nowMs: number,
): [sql: string, params: QueryParams] {
  const { conditions, params } = conditionsOf(request, nowMs);
  const direction = request.descending ? 'DESC' : 'ASC';
  return [
    `SELECT ${columns}, ${request.sort === 'key_id' ? 'key_id' : 'order_value'} AS sort_value
     FROM ${from}
     WHERE ${conditions.join(' AND ')}
     ORDER BY order_value ${direction}, key_id ${direction} LIMIT {limit:UInt32}`,
    { ...params, limit: request.limit },
  ];
}

/** Whether the use of limits is asked about at all: live it is joined, which takes its time. */
export function asksForLimits(request: KeyListRequest): boolean {
  return request.sort === 'limit_used' || request.limitUsedPercent > 0;
}

/**
 * Rows with `limit_used` and `order_value` for {@link pageOf}, of now.
 * @param from rows of the directory with {@link CHOOSING_NAMES}
 * @param condition which keys these are
 */
export function withLimitUse(from: string, condition: KeyCondition, request: KeyListRequest, nowMs: number): string {
  // Parameters of both are among those of the page.
  const keys =
    condition === '1' && request.organizationId !== '' ? 'organization_id = {organization_id_is:String}' : condition;
  return `(SELECT d.*, ${LIMIT_USED} AS limit_used, toInt64(${ORDER_VALUES[request.sort]}) AS order_value
    FROM ${from} AS d LEFT JOIN (${limitUse(keys, nowMs)}) AS u ON u.limited_id = d.key_id)`;
}

/** As the engine orders rows: numbers by size, text by its bytes in UTF-8. */
export function comparePositions(a: Position, b: Position): number {
  if (typeof a.sort_value === 'number' && a.sort_value !== b.sort_value)
    return a.sort_value < Number(b.sort_value) ? -1 : 1;
  return Buffer.compare(Buffer.from(a.key_id), Buffer.from(b.key_id));
}

function conditionsOf(request: KeyListRequest, nowMs: number): { conditions: string[]; params: QueryParams } {
  const conditions = ["key_id != ''"];
  const params: Record<string, unknown> = { key_id: request.keyId };
  const equal = (column: string, value: string) => {
    if (value === '') return;
    conditions.push(`${column} = {${column}_is:String}`);
    params[`${column}_is`] = value;
  };
  equal('organization_id', request.organizationId);
  equal('customer_id', request.customerId);
  equal('environment', request.environment);
  equal('status', request.status);
  if (!request.withDeleted) conditions.push("status != 'deleted'");
  if (request.search !== '') {
    conditions.push('position(search_text, lowerUTF8({search:String})) > 0');
    params.search = request.search;
  }
  if (request.unusedDays > 0) {
    // Silence proves something only while somebody listened: a key known since yesterday was not "unused for a year".
    conditions.push('silent_since_ms < {unused_before:Int64}');
    params.unused_before = nowMs - request.unusedDays * DAY_MS;
  }
  if (request.expiresWithinDays > 0) {
    conditions.push(
      `status = 'active' AND toUnixTimestamp64Milli(expires_at) BETWEEN {now:Int64} AND {expires_before:Int64}`,
    );
    params.now = nowMs;
    params.expires_before = nowMs + request.expiresWithinDays * DAY_MS;
  }
  if (request.limitUsedPercent > 0) {
    conditions.push("status = 'active' AND limit_used >= {limit_used:Float64}");
    params.limit_used = request.limitUsedPercent / 100;
  }
  if (request.after) {
    const sign = request.descending ? '<' : '>';
    const beyond = `key_id ${sign} {after_id:String}`;
    // The first half tells the engine where in the order to begin; comparing pairs would not.
    const value = `order_value ${sign}= {after_value:Float64} AND (order_value != {after_value:Float64} OR ${beyond})`;
    conditions.push(request.sort === 'key_id' ? beyond : value);
    params.after_id = request.after.keyId;
    params.after_value = request.after.value;
  }
  return { conditions, params };
}
