export const BUCKET_MS = 5 * 60_000;

/**
 * End of the newest bucket that may be judged: it ended at least the margin ago, and no batch that was received until then
 * still waits for ClickHouse.
 * @param oldestWaitingMs when the oldest batch that is not yet counted was received; undefined = none waits
 */
export function settledUntil(nowMs: number, oldestWaitingMs: number | undefined, marginMs: number): number {
  const complete = Math.min(nowMs, oldestWaitingMs ?? nowMs) - marginMs;
  return Math.floor(complete / BUCKET_MS) * BUCKET_MS;
}
