import { setTimeout as sleep } from 'node:timers/promises';
import type { Job, Queue } from 'bullmq';
import cron, { type ScheduledTask } from 'node-cron';
import { bullmq } from '../../ingest/bullmq.ts';
import type { Config } from '../../ingest/config.ts';
import { ConfigError } from '../../ingest/config-error.ts';
import type { Logger } from '../../ingest/logger.ts';
import { type BatchJob, openBatchQueue } from '../../ingest/queue.ts';
import type { Redis } from '../../ingest/redis.ts';
import { checkInvariants, storeReport } from '../invariants.ts';
import { RunningSlots } from '../running-slots.ts';
import { Tokens } from '../tokens.ts';
import { EXPIRY_CONCURRENCY, ExpiryGatherer } from './expiry.ts';
import { buildKeyList } from './key-list.ts';
import {
  enqueueSlot,
  LIFECYCLE_PREFIX,
  LIFECYCLE_QUEUE,
  type LifecycleJob,
  openLifecycleQueue,
  type SlotKind,
} from './lifecycle-queue.ts';
import { Policies } from './policies.ts';
import { runPolicy } from './policy-run.ts';
import type { Registry } from './registry.ts';
import { reportingGap } from './reporting-gap.ts';
import { sweepKeys } from './sweep.ts';

/** A job of a dead worker is taken over after this time at most twice over. */
const LOCK_DURATION_MS = 10_000;
const STALLED_INTERVAL_MS = 5_000;
const MAX_STALLED_COUNT = 1_000_000;
/** A clock that goes this much before Redis' schedule is waited for. */
const MAX_EARLY_MS = 5_000;

export interface LifecycleParts {
  config: Config;
  registry: Registry;
  redis: Redis;
  log: Logger;
  /** Shards of the queue: a policy takes no silence for a sign while records wait in one of them. */
  shards: readonly number[];
}

export interface LifecycleWorker {
  isRunning(): boolean;
  close(): Promise<void>;
}

/**
 * Takes the jobs of the lifecycle queue and ticks. Every worker process ticks; a tick only enqueues a job named by
 * its time slot, so one process in the fleet runs it.
 *
 * @param connection separate connection for the worker's blocking reads
 * @throws {ConfigError} for a schedule that cannot be used
 */
export function startLifecycle(parts: LifecycleParts, connection: Redis): LifecycleWorker {
  const { config, log } = parts;
  for (const name of ['KEY_SWEEP_CRON', 'KEY_POLICY_CRON', 'KEY_LIST_CRON', 'INVARIANTS_CRON'] as const) {
    if (!cron.validate(config[name])) throw new ConfigError(`${name}: is not a cron expression`);
  }
  const queue = openLifecycleQueue(parts.redis);
  queue.on('error', (error) => log.warn({ err: error }, 'lifecycle queue'));
  const expiries = new ExpiryGatherer(parts.registry);
  const stopping = new AbortController();
  const batches = parts.shards.map((shard) => openBatchQueue(parts.redis, shard));
  for (const shard of batches) shard.on('error', (error) => log.warn({ err: error }, 'batch queue'));
  const tools: Tools = { queue, batches, expiries, slots: new RunningSlots(log), signal: stopping.signal };
  const worker = new bullmq.Worker<LifecycleJob>(LIFECYCLE_QUEUE, (job) => perform(parts, tools, job), {
    connection,
    prefix: LIFECYCLE_PREFIX,
    concurrency: EXPIRY_CONCURRENCY,
    lockDuration: LOCK_DURATION_MS,
    stalledInterval: STALLED_INTERVAL_MS,
    maxStalledCount: MAX_STALLED_COUNT,
  });
  worker.on('error', (error) => log.warn({ err: error }, 'lifecycle worker'));
  worker.on('failed', (job, error) =>
    log.warn({ job: job?.id, err: error }, 'lifecycle job failed, may be tried again'),
  );
  const ticks = [
    tick(config.KEY_SWEEP_CRON, 'sweep', queue, log),
    tick(config.KEY_POLICY_CRON, 'policies', queue, log),
    tick(config.KEY_LIST_CRON, 'key_list', queue, log),
    tick(config.INVARIANTS_CRON, 'invariants', queue, log),
  ];
  return {
    isRunning: () => worker.isRunning(),
    close: async () => {
      stopping.abort();
      for (const task of ticks) await task.destroy();
      await worker.close();
      await Promise.all([queue, ...batches].map((each) => each.close()));
    },
  };
}

function tick(expression: string, kind: SlotKind, queue: Queue<LifecycleJob>, log: Logger): ScheduledTask {
  return cron.schedule(
    expression,
    async ({ date }) => {
      await enqueueSlot(queue, kind, date.getTime()).catch((error: unknown) =>
        log.warn({ err: error, kind }, 'could not enqueue a scheduled job; the next tick tries again'),
      );
    },
    { timezone: 'UTC' },
  );
}

interface Tools {
  queue: Queue<LifecycleJob>;
  /** What is on its way into the store, for looking at. */
  batches: readonly Queue<BatchJob>[];
  expiries: ExpiryGatherer;
  slots: RunningSlots;
  /** The process is stopping: what can be left to the next slot is. */
  signal: AbortSignal;
}

async function perform(parts: LifecycleParts, tools: Tools, { data }: Job<LifecycleJob>): Promise<void> {
  if (data.kind !== 'expire') {
    const { kind, slot } = data;
    return tools.slots.run(kind, slot, () => performSlot(parts, tools, kind, slot));
  }
  const early = data.expires_at_ms - Date.now();
  if (early > 0) await sleep(Math.min(early, MAX_EARLY_MS));
  return tools.expiries.expire(data.key_id);
}

async function performSlot(
  parts: LifecycleParts,
  { queue, batches, signal }: Tools,
  kind: SlotKind,
  slot: string,
): Promise<void> {
  if (kind === 'policies') return runPolicies(parts, batches, slot);
  if (kind === 'key_list') return buildList(parts, slot, signal);
  if (kind === 'invariants') return runInvariants(parts, slot);
  // A failover of Redis may have lost the last second: a revocation, or a new token.
  const tokens = await new Tokens(parts.registry.store, parts.redis).reconcile();
  if (tokens > 0) parts.log.warn({ tokens, slot }, 'Redis had other tokens than ClickHouse; mended');
  const { KEY_REMINDER_DAYS: reminderDays, KEY_ROTATION_DAYS: rotationDays } = parts.config;
  const result = await sweepKeys(parts.registry, parts.redis, queue, { reminderDays, rotationDays }, { signal });
  if (Object.values(result).some((count) => count > 0)) parts.log.info({ ...result, slot }, 'keys swept');
}

async function buildList({ config, registry, log }: LifecycleParts, slot: string, signal: AbortSignal): Promise<void> {
  const keys = await buildKeyList(registry.store, config.KEY_LIST_LIVE_KEYS, Number(slot) * 1000, signal);
  if (keys !== undefined) log.info({ keys, slot }, 'key list built');
}

async function runInvariants({ config, registry, redis, log }: LifecycleParts, slot: string): Promise<void> {
  const report = await checkInvariants(registry.store, config);
  await storeReport(redis, report);
  for (const { name, says, violations, examples, error } of report.invariants) {
    if (violations !== 0) log.error({ slot, invariant: name, violations, examples, err: error }, `violated: ${says}`);
  }
}

/** Runs every policy that is on. One that fails does not keep the others from running. */
async function runPolicies(
  { registry, redis, log }: LifecycleParts,
  batches: readonly Queue<BatchJob>[],
  slot: string,
): Promise<void> {
  for (const policy of await new Policies(registry.store).list()) {
    // Expiries have their own jobs and sweep.
    if (!policy.enabled || policy.kind === 'expired') continue;
    const about = { policy_id: policy.policy_id, slot };
    try {
      const run = await runPolicy(registry, policy, {
        runId: `${policy.policy_id}_${slot}`,
        actor: 'schedule:policies',
        reportingGap: () => reportingGap(registry.store, redis, batches),
      });
      const { outcome, matched, warned, changed, detail } = run;
      if (outcome === 'stopped') log.warn({ ...about, matched }, `policy stopped: ${detail}`);
      else if (warned + changed > 0) log.info({ ...about, matched, warned, changed }, 'policy ran');
    } catch (error) {
      log.error({ ...about, err: error }, 'policy failed; the next tick tries again');
    }
  }
}
