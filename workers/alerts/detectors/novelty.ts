/**
 * Is a country (endpoint, network) new for this key, and is that remarkable? Good and Turing (1953): the chance that the next
 * request shows a value never seen is about the number of values seen once / the number of requests. For a key that is used
 * from everywhere a new country is ordinary; for one that never left two countries it is not.
 */
export interface SeenValues {
  /** Requests of the last 28 days. */
  requests: number;
  /** Values seen exactly once in them. */
  seenOnce: number;
  /** Every value ever seen for this key. */
  known: ReadonlySet<string>;
  /** Age of the key's first request. */
  ageDays: number;
}

export interface NoveltyVerdict {
  value: string;
  requests: number;
  isAlert: boolean;
  /** Good-Turing chance that a request of this key shows something new. */
  novelty: number;
  knownValues: number;
  baselineSpan: string;
}

const NOVELTY_MAX = 0.001;
const MIN_REQUESTS = 5;
const MIN_AGE_DAYS = 14;

/** @returns Good-Turing estimate of the unseen share; a key without history expects anything (1) */
export function noveltyRate(seenOnce: number, requests: number): number {
  return requests === 0 ? 1 : Math.min(1, seenOnce / requests);
}

/** @param current requests per value in the judged window; values without a name are left out by the caller */
export function judgeNovelty(
  current: ReadonlyMap<string, number>,
  seen: SeenValues,
  minRequests = MIN_REQUESTS,
): NoveltyVerdict[] {
  const novelty = noveltyRate(seen.seenOnce, seen.requests);
  // With fewer than 1 / NOVELTY_MAX requests even a single one-off lies above the bar, and none at all proves nothing.
  const settled = seen.ageDays >= MIN_AGE_DAYS && seen.requests * NOVELTY_MAX >= 1 && novelty < NOVELTY_MAX;
  const found: NoveltyVerdict[] = [];
  for (const [value, requests] of current) {
    if (seen.known.has(value)) continue;
    found.push({
      value,
      requests,
      isAlert: settled && requests >= minRequests,
      novelty,
      knownValues: seen.known.size,
      baselineSpan: `${seen.requests} requests of the last 28 days`,
    });
  }
  return found;
}
