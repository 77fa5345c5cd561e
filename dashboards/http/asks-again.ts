import type { Resource } from './use-resource.ts';

/** What is polled, as it stands at a tick. */
export type Polled = Pick<Resource<unknown>, 'loading' | 'problem' | 'answeredAt'>;

/** Signed out, not allowed, not there: the same question would get the same answer. */
const FINAL_STATUSES = [401, 403, 404];
/** One answer may be slow and one may be lost before the figures are called old. */
const OLD_AFTER_PERIODS = 3;

/** Never before the answer is here: asking anew drops it, and one slower than the period would never arrive. */
export function asksAgain({ loading, problem }: Polled, hidden: boolean): boolean {
  return !hidden && !loading && !(problem && FINAL_STATUSES.includes(problem.status));
}

/** Only while an answer is being waited for: a tab that was hidden for an hour asks first. */
export function isOld({ loading, answeredAt }: Polled, everyMs: number, now: number): boolean {
  return loading && answeredAt !== null && now - answeredAt > OLD_AFTER_PERIODS * everyMs;
}
