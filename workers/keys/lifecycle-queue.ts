import { createHash } from 'node:crypto';
import type { JobsOptions, Queue } from 'bullmq';
import { bullmq } from '../../ingest/bullmq.ts';
import type { Redis } from '../../ingest/redis.ts';
import type { RegisteredKey } from './key.ts';
import { isPast } from './lifecycle.ts';

/** Queue of everything that happens by time: expiries, sweeps, policy runs, checks of the counts. */
export const LIFECYCLE_QUEUE = 'lifecycle';
export const LIFECYCLE_PREFIX = '{keytally-lifecycle}';

/** What one time slot of the schedule does: `sweep` and `policies` to keys, `key_list` for reading them, `invariants` to the counts. */
export type SlotKind = 'sweep' | 'policies' | 'key_list' | 'invariants';

/** `expire`: one key at its expiry. The others: one time slot of the schedule. */
export type LifecycleJob = { kind: 'expire'; key_id: string; expires_at_ms: number } | { kind: SlotKind; slot: string };

/**
 * Only expiries this near get a job of their own, which bounds what Redis holds; every sweep adds those that have
 * come nearer, long before they are due.
 */
const EXPIRY_HORIZON_MS = 24 * 60 * 60 * 1000;

const JOB_OPTIONS: JobsOptions = {
  attempts: 10,
  backoff: { type: 'exponential', delay: 200, jitter: 0.5 },
  removeOnComplete: true,
  // The sweep does what a job could not: a failed one is kept for the jobs page only.
  removeOnFail: { count: 1_000 },
  keepLogs: 0,
  stackTraceLimit: 3,
};

export function openLifecycleQueue(connection: Redis): Queue<LifecycleJob> {
  return new bullmq.Queue<LifecycleJob>(LIFECYCLE_QUEUE, {
    connection,
    prefix: LIFECYCLE_PREFIX,
    defaultJobOptions: JOB_OPTIONS,
    streams: { events: { maxLen: 100 } },
  });
}

type Expiring = Pick<RegisteredKey, 'key_id' | 'expires_at'>;

/** Whether a key's expiry is near enough for a job of its own. */
export function needsExpiryJob(key: Expiring & Pick<RegisteredKey, 'status' | 'deleted'>, nowMs: number): boolean {
  return (
    key.status === 'active' &&
    !key.deleted &&
    key.expires_at !== null &&
    isPast(key.expires_at, nowMs + EXPIRY_HORIZON_MS)
  );
}

/** Adds the expiry of each key as a delayed job; one that is there already stays as it is. */
export async function scheduleExpiries(
  queue: Queue<LifecycleJob>,
  keys: readonly Expiring[],
  nowMs: number,
): Promise<void> {
  if (keys.length === 0) return;
  await queue.addBulk(
    keys.map((key) => {
      const expiresAtMs = Date.parse(key.expires_at!);
      return {
        name: 'expire',
        data: { kind: 'expire', key_id: key.key_id, expires_at_ms: expiresAtMs },
        opts: { jobId: expiryJobId(key.key_id, expiresAtMs), delay: Math.max(0, expiresAtMs - nowMs) },
      };
    }),
  );
}

/** BullMQ allows no ':' in an id, and a key id may hold anything. */
function expiryJobId(keyId: string, expiresAtMs: number): string {
  return `expire_${createHash('sha256').update(keyId).digest('hex').slice(0, 32)}_${expiresAtMs}`;
}

/** Adds the job of a time slot; of all processes that tick, the first makes it and the others find it there. */
export async function enqueueSlot(queue: Queue<LifecycleJob>, kind: SlotKind, tickMs: number): Promise<void> {
  const slot = String(Math.round(tickMs / 1000));
  // A finished slot stays for a while: a process that ticks a little later must find it.
  await queue.add(kind, { kind, slot }, { jobId: `${kind}_${slot}`, removeOnComplete: { count: 100 } });
}
