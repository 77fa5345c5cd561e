import type { KeyRateLimit } from '../ingest/batch.ts';
import type { Store } from './clickhouse/store.ts';

/** A platform's own limit of a key, as the newest answer told it. */
export interface SeenRateLimit {
  key_id: string;
  at: string;
  limit: number;
  remaining: number;
  reset_at: string | null;
  window_seconds: number;
}

/** Keeps the limits that the answers of a batch told. A repeat, or an older one that arrives late, changes nothing. */
export async function writeRateLimits(store: Store, rateLimits: readonly KeyRateLimit[]): Promise<void> {
  const rows = rateLimits.map((told) => ({
    key_id: told.keyId,
    at: new Date(told.atMs).toISOString(),
    limit: told.limit,
    remaining: told.remaining,
    reset_at: told.resetAtMs === 0 ? null : new Date(told.resetAtMs).toISOString(),
    window_seconds: told.windowSeconds,
  }));
  await store.insertRows('key_rate_limits', rows);
}

/** Limits told for these keys, by key id. */
export async function readRateLimits(store: Store, keyIds: readonly string[]): Promise<Map<string, SeenRateLimit>> {
  if (keyIds.length === 0) return new Map();
  const rows = await store.query<SeenRateLimit>(
    `SELECT key_id, at, limit, remaining, reset_at, window_seconds FROM key_rate_limits FINAL
     WHERE key_id IN {key_ids:Array(String)}`,
    { key_ids: keyIds },
  );
  return new Map(rows.map((row) => [row.key_id, row]));
}
