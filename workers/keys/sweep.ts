import type { Queue } from 'bullmq';
import type { Redis } from '../../ingest/redis.ts';
import { repairRecords } from './change-record.ts';
import { scheduleSoon, sweepExpiries } from './expiry.ts';
import type { LifecycleJob } from './lifecycle-queue.ts';
import { sweepNotices } from './notice-sweep.ts';
import type { NoticeSettings } from './notices.ts';
import type { Registry } from './registry.ts';

/** Redis key: time of the last finished sweep, epoch milliseconds. */
const SWEPT_UNTIL = '{keytally}:lifecycle:swept_until_ms';
/** Without that time a sweep looks back as far as the earliest usual reminder. */
const FIRST_LOOK_BACK_MS = 40 * 86_400_000;
/** Sweeps overlap: a row that was written slowly, or by a clock that goes after, is met by the next one. */
const OVERLAP_MS = 10 * 60_000;

export interface SweepResult {
  expired: number;
  notices: number;
  /** Changes whose audit row or event was missing. */
  repaired: number;
}

/** The net under everything that happens to keys by time. Repeating it, also at the same time elsewhere, is harmless. */
export async function sweepKeys(
  registry: Registry,
  redis: Redis,
  queue: Queue<LifecycleJob>,
  settings: NoticeSettings,
): Promise<SweepResult> {
  const nowMs = Date.now();
  const last = Number(await redis.get(SWEPT_UNTIL)) || nowMs - FIRST_LOOK_BACK_MS;
  const since = Math.min(last, nowMs) - OVERLAP_MS;
  const expired = await sweepExpiries(registry, nowMs);
  await scheduleSoon(registry, queue, nowMs);
  const repaired = await repairRecords(registry.store, since, nowMs);
  const notices = await sweepNotices(registry.store, settings, since, nowMs);
  await redis.set(SWEPT_UNTIL, nowMs);
  await registry.handOver(notices);
  return { expired, notices: notices.length, repaired };
}
