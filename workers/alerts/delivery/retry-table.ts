import type { DeliveryOutcome } from '../channels/channel.ts';

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;

/** Wait before each attempt, of Standard Webhooks 1.0.0: ten attempts within three days and four hours. */
export const RETRY_TABLE_MS: readonly number[] = [
  0,
  5 * SECOND_MS,
  5 * MINUTE_MS,
  30 * MINUTE_MS,
  2 * HOUR_MS,
  5 * HOUR_MS,
  10 * HOUR_MS,
  14 * HOUR_MS,
  20 * HOUR_MS,
  24 * HOUR_MS,
];

/** A receiver cannot put us off for longer than this. */
const MAX_WAIT_MS = 24 * HOUR_MS;
/** Waits are lengthened by up to this share, so that a receiver that comes back is not met by everything at once. */
const JITTER = 0.2;

export interface RetrySettings {
  tableMs: readonly number[];
  /** 0..1 */
  random: () => number;
}

/** What follows from an attempt. */
export type AfterAttempt =
  | { status: 'sent' }
  | { status: 'retrying'; waitMs: number; reason: string }
  | { status: 'failed'; reason: string; channel?: 'disable' | 'not_configured' };

/**
 * What follows from the outcome of an attempt.
 * @param attempts how many were made, this one included
 */
export function afterAttempt(outcome: DeliveryOutcome, attempts: number, settings: RetrySettings): AfterAttempt {
  if (outcome.result === 'sent') return { status: 'sent' };
  if (outcome.result === 'disable') return { status: 'failed', reason: outcome.detail, channel: 'disable' };
  if (outcome.result === 'not_configured') {
    return { status: 'failed', reason: `not configured: ${outcome.detail}`, channel: 'not_configured' };
  }
  const planned = settings.tableMs[attempts];
  if (outcome.result === 'failed' || planned === undefined) return { status: 'failed', reason: outcome.detail };
  const jittered = planned * (1 + JITTER * settings.random());
  const waitMs = Math.min(Math.max(jittered, outcome.afterMs ?? 0), MAX_WAIT_MS * (1 + JITTER));
  return { status: 'retrying', waitMs: Math.round(waitMs), reason: outcome.detail };
}

/** Raised by a job that is to run again later: nothing went wrong with the job itself. */
export class RunLater extends Error {
  readonly delayMs: number;

  constructor(delayMs: number, why: string) {
    super(why);
    this.delayMs = delayMs;
  }
}

/** Wait before a job runs again: as it asked, or growing to half a minute after a fault of ours such as a store that is away. */
export function jobBackoffMs(attemptsMade: number, error: Error | undefined, random: () => number): number {
  if (error instanceof RunLater) return Math.max(1, Math.round(error.delayMs));
  const grown = Math.min(30 * SECOND_MS, 250 * 2 ** Math.min(attemptsMade, 10));
  return Math.round(grown * (0.5 + random() / 2));
}
