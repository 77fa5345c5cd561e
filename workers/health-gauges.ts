import type { Logger } from '../ingest/logger.ts';
import type { Redis } from '../ingest/redis.ts';
import type { Store } from './clickhouse/store.ts';
import { DeadLetters } from './dead-letters.ts';
import { readInvariants, readReport } from './invariants.ts';
import { lastBackupMs } from './last-backup.ts';
import {
  deadLettersWaiting,
  invariantsChecked,
  invariantViolations,
  lastBackup,
  oldestDeadLetterSeconds,
} from './metrics.ts';
import { type TimedLook, timedLook } from './timed-look.ts';

const REFRESH_MS = 30_000;

/** Keeps the gauges that are read from the stores: the same in every worker, at most {@link REFRESH_MS} old. */
export function startHealthGauges(store: Store, redis: Redis, log: Logger): TimedLook {
  const letters = new DeadLetters(store, redis);
  for (const { name } of readInvariants()) invariantViolations.inc({ invariant: name }, 0);
  const gauges = timedLook(REFRESH_MS, async () => {
    try {
      const { waiting, oldest_ms: oldestMs } = await letters.waiting();
      deadLettersWaiting.set(waiting);
      oldestDeadLetterSeconds.set(oldestMs === 0 ? 0 : Math.max(0, (Date.now() - oldestMs) / 1000));
      lastBackup.set((await lastBackupMs(redis)) / 1000);
      const report = await readReport(redis);
      if (!report) return;
      invariantsChecked.set(report.checkedAtMs / 1000);
      for (const { name, violations } of report.invariants) invariantViolations.set({ invariant: name }, violations);
    } catch (error) {
      // The last values stay; that the store is away is told by its own check.
      log.debug({ err: error }, 'gauges not refreshed');
    }
  });
  void gauges.look();
  return gauges;
}
