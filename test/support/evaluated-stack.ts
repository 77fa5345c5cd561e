import { expect } from 'vitest';
import { connectRedis, type Redis } from '../../ingest/redis.ts';
import { type EvaluationLane, openEvaluationQueue } from '../../workers/alerts/evaluation/evaluation-queue.ts';
import { brokenAlertLogs } from './alert-log.ts';
import { type Stack, startStack } from './stack.ts';
import { untilPasses } from './until-passes.ts';

const NEVER = '0 0 1 1 *';
/** Nothing is evaluated by itself: a test enqueues the slots it wants, so that time is its own. */
export const UNSCHEDULED = { ALERT_EVALUATION_CRON: NEVER, ALERT_LIMITS_CRON: NEVER };

/** Runs one job of a lane as of a time, as the schedule would. */
export async function runSlot(redis: Redis, lane: EvaluationLane, nowMs: number): Promise<void> {
  const queue = openEvaluationQueue(redis, lane);
  const job = await queue.add('slot', { slot_ms: nowMs });
  await untilPasses(async () => expect(await job.getState()).toBe('completed'));
  await queue.close();
}

export interface EvaluatedStack {
  stack: Stack;
  /** Looks at the limits of keys, and at what happened to them. */
  look(nowMs: number): Promise<void>;
  stop(): Promise<void>;
}

/** A stack whose limits are looked at when a test says so; at its end no alert may have a gap in its log. */
export async function startEvaluatedStack(): Promise<EvaluatedStack> {
  const stack = await startStack({ ...UNSCHEDULED, KEY_SWEEP_CRON: NEVER });
  const redis = await connectRedis(stack.redisUrl, 'worker', () => {});
  return {
    stack,
    look: (nowMs) => runSlot(redis, 'limits', nowMs),
    async stop() {
      expect(await brokenAlertLogs(stack.store)).toEqual([]);
      redis.disconnect();
      await stack.stop();
    },
  };
}
