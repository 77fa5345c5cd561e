import { expect } from 'vitest';
import type { Redis } from '../../ingest/redis.ts';
import { openLifecycleQueue, type SlotKind } from '../../workers/keys/lifecycle-queue.ts';
import { untilPasses } from './until-passes.ts';

/** Has a worker do what it does at a time of the schedule. A policy has one run per second of `slotMs`. */
export async function runLifecycleSlot(redis: Redis, kind: SlotKind, slotMs: number): Promise<void> {
  const queue = openLifecycleQueue(redis);
  const data = { kind, slot: String(Math.round(slotMs / 1_000)) };
  const job = await queue.add(kind, data, { removeOnComplete: false });
  await untilPasses(async () => expect(await job.getState()).toBe('completed'));
  await queue.close();
}
