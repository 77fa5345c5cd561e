import { randomUUID } from 'node:crypto';
import type { Queue } from 'bullmq';
import { ConfigError } from '../ingest/config-error.ts';
import type { BatchJob } from '../ingest/queue.ts';
import type { Redis } from '../ingest/redis.ts';

/** The queues that a hold has paused, as JSON: one that a person paused before is not among them, and stays paused afterwards. */
const HELD_KEY = '{keytally}:hold';
/** Whose hold it is. Runs out by itself when the holder was killed; nobody else takes one while it is there. */
const HEARTBEAT_KEY = '{keytally}:hold:alive';
const HEARTBEAT_SECONDS = 30;
const RENEW_MS = 5_000;
const POLL_MS = 100;

/** How long a hold waits for the batches that are under way. */
export interface DrainLimits {
  /** For one that no worker answers for: a killed worker left it, and it is copied from the queue. */
  leftMs: number;
  /** For one whose worker lives; after it there is no hold. */
  inWorkMs: number;
}
const DRAIN_LIMITS: DrainLimits = { leftMs: 60_000, inWorkMs: 600_000 };

const RENEW = `if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('EXPIRE', KEYS[1], ARGV[2])`;
const GIVE_UP = `if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1], KEYS[2])`;

export interface Hold {
  /** @throws {ConfigError} when it ran out meanwhile: workers count again since then, or another holder has begun */
  confirm(): Promise<void>;
}

/**
 * Keeps every worker from taking batches while `act` runs, so that the tables stand still; collectors go on, batches wait.
 * A holder that is killed holds nobody up: workers end a hold without a heartbeat.
 * @throws {ConfigError} when another holder is at work, or a worker does not come to the end of a batch
 */
export async function holdBatches<T>(
  redis: Redis,
  queues: readonly Queue<BatchJob>[],
  act: (hold: Hold) => Promise<T>,
  limits = DRAIN_LIMITS,
): Promise<T> {
  const owner = randomUUID();
  if (!(await take(redis, owner))) {
    throw new ConfigError(
      `another backup or restore is running; one that was killed stands in the way for ${HEARTBEAT_SECONDS} seconds at most`,
    );
  }
  const timer = setInterval(() => void renew(redis, owner).catch(() => undefined), RENEW_MS);
  try {
    const running = await runningWithoutHold(redis, queues);
    await redis.set(HELD_KEY, JSON.stringify(running.map((queue) => queue.qualifiedName)));
    for (const queue of running) await queue.pause();
    await untilNoneActive(redis, queues, limits);
    return await act({ confirm: () => confirm(redis, owner) });
  } finally {
    clearInterval(timer);
    await release(redis, queues, owner);
  }
}

const take = async (redis: Redis, owner: string): Promise<boolean> =>
  (await redis.set(HEARTBEAT_KEY, owner, 'EX', HEARTBEAT_SECONDS, 'NX')) === 'OK';

const renew = async (redis: Redis, owner: string): Promise<boolean> =>
  (await redis.eval(RENEW, 1, HEARTBEAT_KEY, owner, HEARTBEAT_SECONDS)) === 1;

async function confirm(redis: Redis, owner: string): Promise<void> {
  if (await renew(redis, owner)) return;
  throw new ConfigError(
    `the workers went on before the end: this process or Redis stood still for more than ${HEARTBEAT_SECONDS} seconds; begin again`,
  );
}

/** A killed holder's queues are paused as well, but not by a person. */
async function runningWithoutHold(redis: Redis, queues: readonly Queue<BatchJob>[]): Promise<Queue<BatchJob>[]> {
  const abandoned = heldBy(await redis.get(HELD_KEY), queues);
  const paused = await Promise.all(queues.map((queue) => queue.isPaused()));
  return queues.filter((queue, at) => !paused[at] || abandoned.includes(queue));
}

/** @param held as stored; what a version before wrote is no list, and its hold had paused all */
function heldBy(held: string | null, queues: readonly Queue<BatchJob>[]): readonly Queue<BatchJob>[] {
  if (held === null) return [];
  if (!held.startsWith('[')) return queues;
  const names = JSON.parse(held) as string[];
  return queues.filter((queue) => names.includes(queue.qualifiedName));
}

/**
 * What is under way may finish, however slow the store is: a batch that was still written while the tables were copied was in some of them and not
 * in the others. A worker that lives keeps the lock of its batch.
 */
async function untilNoneActive(
  redis: Redis,
  queues: readonly Queue<BatchJob>[],
  { leftMs, inWorkMs }: DrainLimits,
): Promise<void> {
  for (let waited = 0; ; waited += POLL_MS) {
    const under = await Promise.all(queues.map((queue) => underWay(redis, queue)));
    const inWork = under.reduce((sum, queue) => sum + queue.inWork, 0);
    if (inWork === 0 && (waited >= leftMs || under.every(({ active }) => active === 0))) return;
    if (waited >= inWorkMs) {
      throw new ConfigError(
        `${inWork} batches were not written in ${inWorkMs / 1000} s: is ClickHouse well? begin again`,
      );
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

/** Batches that were begun, and those of them whose worker lives. */
async function underWay(redis: Redis, queue: Queue<BatchJob>): Promise<{ active: number; inWork: number }> {
  const ids = await queue.getRanges(['active'], 0, -1);
  if (ids.length === 0) return { active: 0, inWork: 0 };
  return { active: ids.length, inWork: await redis.exists(...ids.map((id) => `${queue.toKey(id)}:lock`)) };
}

/** Only one's own: what came after it is its holder's. @returns whether it was */
async function release(redis: Redis, queues: readonly Queue<BatchJob>[], owner: string): Promise<boolean> {
  if (!(await renew(redis, owner))) return false;
  for (const queue of heldBy(await redis.get(HELD_KEY), queues)) await queue.resume();
  await redis.eval(GIVE_UP, 2, HEARTBEAT_KEY, HELD_KEY, owner);
  return true;
}

/** Ends a hold whose holder is gone. @returns whether there was one */
export async function endAbandonedHold(redis: Redis, queues: readonly Queue<BatchJob>[]): Promise<boolean> {
  const [held, alive] = await redis.mget(HELD_KEY, HEARTBEAT_KEY);
  if (!held || alive) return false;
  const owner = randomUUID();
  return (await take(redis, owner)) && (await release(redis, queues, owner));
}
