import type { Queue } from 'bullmq';
import type { Redis } from '../../ingest/redis.ts';
import { noticesWaiting, noticesWritten } from '../metrics.ts';
import { repairRecords } from './change-record.ts';
import type { KeyEvent } from './events.ts';
import { scheduleSoon, sweepExpiries } from './expiry.ts';
import type { LifecycleJob } from './lifecycle-queue.ts';
import { type NoticePass, type SweptNotices, sweepNotices } from './notice-sweep.ts';
import type { NoticeSettings } from './notices.ts';
import type { Registry } from './registry.ts';

/** Redis key: time of the last sweep that completed the records, epoch milliseconds. */
const REPAIRED_UNTIL = '{keytally}:lifecycle:repaired_until_ms';
/** Redis key: time up to which all notices are written, epoch milliseconds. */
const SWEPT_UNTIL = '{keytally}:lifecycle:swept_until_ms';
/** Redis key: the settings by which they are, as JSON. */
const SWEPT_SETTINGS = '{keytally}:lifecycle:swept_settings';
/** Redis key: a look at all keys that is not through, as JSON of a NoticePass. */
const UNFINISHED = '{keytally}:lifecycle:unfinished_notices';
/** Without that time a sweep looks back as far as the earliest usual reminder. */
const FIRST_LOOK_BACK_MS = 40 * 86_400_000;
/** Sweeps overlap: a row that was written slowly, or by a clock that goes after, is met by the next one. */
const OVERLAP_MS = 10 * 60_000;

export interface SweepResult {
  expired: number;
  notices: number;
  /** Keys that may be due a notice and are left for the next sweep. */
  waiting: number;
  /** Changes whose audit row or event was missing. */
  repaired: number;
}

export interface SweepOptions {
  /** The process is stopping: what is not done is left for the next sweep. */
  signal?: AbortSignal;
  maxNotices?: number;
}

/** The net under everything that happens to keys by time. Repeating it, also at the same time elsewhere, is harmless. */
export async function sweepKeys(
  registry: Registry,
  redis: Redis,
  queue: Queue<LifecycleJob>,
  settings: NoticeSettings,
  options: SweepOptions = {},
): Promise<SweepResult> {
  const nowMs = Date.now();
  const expired = await sweepExpiries(registry, nowMs);
  await scheduleSoon(registry, queue, nowMs);
  const repaired = await repair(registry, redis, nowMs, options);
  const { notices, waiting } = await tellNotices(registry, redis, settings, nowMs, options);
  return { expired, notices, waiting, repaired };
}

async function repair(registry: Registry, redis: Redis, nowMs: number, { signal }: SweepOptions): Promise<number> {
  const { repaired, finished } = await repairRecords(
    registry.store,
    await lastTime(redis, REPAIRED_UNTIL, nowMs),
    nowMs,
    signal,
  );
  if (finished) await redis.set(REPAIRED_UNTIL, nowMs);
  return repaired;
}

/** How far it came is stored after the notices: a crash in between repeats some of it, and a notice that is there is not written again. */
async function tellNotices(
  registry: Registry,
  redis: Redis,
  settings: NoticeSettings,
  nowMs: number,
  { signal, maxNotices }: SweepOptions,
): Promise<SweptNotices> {
  const pass = await presentPass(redis, JSON.stringify(settings), nowMs);
  const handOver = (notices: readonly KeyEvent[]) => registry.handOver(notices);
  const swept = await sweepNotices(registry.store, settings, pass, nowMs, { handOver, signal, maxNotices });
  noticesWritten.inc(swept.notices);
  noticesWaiting.set(swept.waiting);
  if (swept.rest) {
    await redis.set(UNFINISHED, JSON.stringify(swept.rest));
  } else {
    await redis.set(SWEPT_UNTIL, pass.startedMs);
    await redis.set(SWEPT_SETTINGS, JSON.stringify(settings));
    await redis.del(UNFINISHED);
  }
  return swept;
}

/**
 * The look that is not through, or the next one. By other settings than before, notices became due long ago that nobody was told: all
 * keys are looked at once, and what was told is not told again.
 */
async function presentPass(redis: Redis, settings: string, nowMs: number): Promise<NoticePass> {
  const unfinished = readPass(await redis.get(UNFINISHED));
  if (unfinished && (unfinished.settings ?? settings) === settings) return unfinished;
  const before = unfinished?.settings ?? (await redis.get(SWEPT_SETTINGS));
  const isChanged = before !== null && before !== settings;
  const sinceMs = isChanged ? 0 : await lastTime(redis, SWEPT_UNTIL, nowMs);
  return { sinceMs, startedMs: nowMs, after: '', settings };
}

async function lastTime(redis: Redis, key: string, nowMs: number): Promise<number> {
  const last = Number(await redis.get(key)) || nowMs - FIRST_LOOK_BACK_MS;
  return Math.min(last, nowMs) - OVERLAP_MS;
}

function readPass(text: string | null): NoticePass | undefined {
  return text === null ? undefined : (JSON.parse(text) as NoticePass);
}
