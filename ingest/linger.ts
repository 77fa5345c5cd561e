import type { Queue } from 'bullmq';
import type { Lane } from './fair-share.ts';
import type { BatchJob } from './queue.ts';

/** After a pause this long a request waits only a fifth: company is not expected. */
const IDLE_MS = 1_000;
const IDLE_DIVISOR = 5;
/**
 * No batch gathers for more than this many times its lingering. An insert has a price of its own: with the fourteen views and 100
 * rows 60 to 120 ms of processor time, with 50,000 rows 300 ms, and half as much again for the merges of its parts. Steady
 * traffic in four batches a second costs twice as much as the same in one. Three rounds are less than the second after which most
 * senders come again: a longer wait would hold them up.
 */
const MAX_ROUNDS = 3;

/** What decides whether a batch goes on gathering when its time is up. */
export interface Gathered {
  ageMs: number;
  /** Batches that would be taken before it: earlier it would only stand in line. */
  waiting: number;
  /** Requests that came in its last round, the first one of the batch not among them. */
  arrivals: number;
  /** A sender in it has its next records ready and waits for the answer. */
  isWaitedFor: boolean;
}

/** How long a new batch waits for company, ms. */
export function firstLingerMs(lingerMs: number, sinceLastBatchMs: number): number {
  return sinceLastBatchMs > IDLE_MS ? lingerMs / IDLE_DIVISOR : lingerMs;
}

/** A batch is never gathered for longer, ms. */
export function longestLingerMs(lingerMs: number): number {
  return MAX_ROUNDS * lingerMs;
}

/** Whether another round is worth it: nobody is held up by it, or nothing is gained by an end. Pure. */
export function lingersOn({ ageMs, waiting, arrivals, isWaitedFor }: Gathered, lingerMs: number): boolean {
  // Timers are late by a little, so a round counts as over when most of it is.
  if (ageMs + lingerMs / 2 > longestLingerMs(lingerMs)) return false;
  return waiting > 0 || (arrivals > 0 && !isWaitedFor);
}

/** Batches that no worker has taken yet, and that would be taken before the next one of this lane. None when Redis does not say. */
export async function waitingBefore(queues: readonly Queue<BatchJob>[], lane: Lane): Promise<number> {
  const states = lane === 'bulk' ? (['waiting', 'prioritized'] as const) : (['waiting'] as const);
  const counts = await Promise.all(queues.map((queue) => queue.getJobCountByTypes(...states))).catch(() => []);
  return counts.reduce((sum, count) => sum + count, 0);
}
