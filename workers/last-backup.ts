import type { Redis } from '../ingest/redis.ts';

const KEY = '{keytally}:backup:last_ms';

export async function noteBackup(redis: Redis, nowMs: number): Promise<void> {
  await redis.set(KEY, nowMs);
}

/** When the last backup was complete, epoch milliseconds; 0 = never. */
export async function lastBackupMs(redis: Redis): Promise<number> {
  return Number(await redis.get(KEY)) || 0;
}
