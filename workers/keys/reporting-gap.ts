import type { Queue } from 'bullmq';
import type { BatchJob } from '../../ingest/queue.ts';
import type { Redis } from '../../ingest/redis.ts';
import type { Store } from '../clickhouse/store.ts';
import { oldestWaitingBatch } from '../oldest-job.ts';

const MINUTE_MS = 60_000;
/** A batch that is counted as it should be waits for seconds. */
const LONG_WAIT_MS = 15 * MINUTE_MS;
const QUIET_HOURS = 24;

/** What is known of how requests come in. */
export interface Reporting {
  /** When the oldest batch that is not yet counted was received, epoch milliseconds; undefined = none waits. */
  oldestWaitingMs: number | undefined;
  /** Whether any request of the last {@link QUIET_HOURS} hours was counted, of whatever key. */
  isHeard: boolean;
}

/**
 * Why the silence of keys proves nothing now, in words; '' when it does. After an outage keys that are in full use look unused until what waits is
 * counted, and while nothing is reported at all every key does.
 */
export function gapOf({ oldestWaitingMs, isHeard }: Reporting, nowMs: number): string {
  const waitedMs = oldestWaitingMs === undefined ? 0 : nowMs - oldestWaitingMs;
  if (waitedMs >= LONG_WAIT_MS) {
    return `records that were received ${Math.floor(waitedMs / MINUTE_MS)} minutes ago are not counted yet, so keys may look unused that are not: nothing was done`;
  }
  if (!isHeard)
    return `no request of the last ${QUIET_HOURS} hours was counted, so silence proves nothing: nothing was done`;
  return '';
}

/** As {@link gapOf}, of how things stand. */
export async function reportingGap(store: Store, redis: Redis, batches: readonly Queue<BatchJob>[]): Promise<string> {
  const nowMs = Date.now();
  const heard = await store.queryWriter<{ heard: number }>(
    "SELECT 1 AS heard FROM usage_minute WHERE start >= toDateTime({from:Int64}, 'UTC') LIMIT 1",
    { from: Math.floor(nowMs / 1000) - QUIET_HOURS * 3_600 },
  );
  return gapOf({ oldestWaitingMs: await oldestWaitingBatch(redis, batches), isHeard: heard.length > 0 }, nowMs);
}
