import type { Job } from 'bullmq';
import type { Redis } from '../../../ingest/redis.ts';

/** Another process works on the job: this one stood still for longer than its lock lasts, and writes nothing more. */
export class TakenOver extends Error {}

/**
 * Without a lock nobody has begun the job again: a process that gave up then, because its loop is late in every window, would never come to an end.
 * What failed elsewhere is delayed.
 */
const BEGUN_BY_NOBODY_ELSE: ReadonlySet<string> = new Set(['active', 'waiting']);

/**
 * Looks whether a job is still this process' own. Two that judged one backlog side by side, the first having been frozen for ten seconds, took
 * the progress of the other back, and judged windows again by the states of later ones.
 * @param key of the job in Redis
 * @param token of the process that works on it
 * @throws {TakenOver} when it is not
 */
export async function refuseTakenOver(redis: Redis, key: string, job: Job, token: string | undefined): Promise<void> {
  const holder = await redis.get(`${key}:lock`);
  if (holder === token) return;
  if (holder === null && BEGUN_BY_NOBODY_ELSE.has(await job.getState())) return;
  throw new TakenOver('another process has taken this slot over');
}
