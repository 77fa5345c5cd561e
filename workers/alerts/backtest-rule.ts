/** The rule of unusual traffic over counts from a file: judged, opened and ended by the code of the evaluation. */
import { NO_COUNTS } from './evaluation/key-history.ts';
import { trafficAnomaly } from './evaluation/traffic-anomaly.ts';
import { BUCKET_SECONDS, type Fired, replayKey } from './rules/replay.ts';
import { effectiveOf } from './rules/rule.ts';
import { trafficPastOf } from './rules/traffic-past.ts';
import { InputError, type SeriesRow } from './series-file.ts';

const HOUR_SECONDS = 3_600;
/** Ten years: longer files are a mistake in the timestamps. */
const MAX_BUCKETS = (10 * 366 * 86_400) / BUCKET_SECONDS;

/**
 * Alerts with the default settings. Rows of less than five minutes are added up; time without rows counts as time without
 * requests, as it does in production.
 * @throws {InputError} for rows that are no counts or lie further apart than the buckets that are judged
 */
export async function openingsOf(rows: AsyncIterable<SeriesRow>): Promise<Fired[]> {
  const counts = new Map<number, number>();
  let first = Number.POSITIVE_INFINITY;
  let last = Number.NEGATIVE_INFINITY;
  let shortest = Number.POSITIVE_INFINITY;
  let before = Number.NaN;
  for await (const { line, text, timeSeconds, value } of rows) {
    if (value < 0) throw new InputError(`row ${line}, column value: "${text.slice(0, 40)}" is not a count of requests`);
    const bucket = Math.floor(timeSeconds / BUCKET_SECONDS) * BUCKET_SECONDS;
    counts.set(bucket, (counts.get(bucket) ?? 0) + (Number.isNaN(value) ? 0 : value));
    if (timeSeconds > before) shortest = Math.min(shortest, timeSeconds - before);
    before = timeSeconds;
    first = Math.min(first, bucket);
    last = Math.max(last, bucket);
  }
  if (counts.size === 0) return [];
  if (Number.isFinite(shortest) && shortest > BUCKET_SECONDS)
    throw new InputError('rows lie more than five minutes apart, which this rule cannot judge: leave --rule out');
  if ((last - first) / BUCKET_SECONDS > MAX_BUCKETS) throw new InputError('the rows span more than ten years');
  return replayed(counts, first, last + BUCKET_SECONDS);
}

function replayed(counts: ReadonlyMap<number, number>, first: number, to: number): Fired[] {
  const from = Math.floor(first / HOUR_SECONDS) * HOUR_SECONDS;
  const buckets = Array.from({ length: (to - from) / BUCKET_SECONDS }, (_, n) => {
    const requests = Math.round(counts.get(from + n * BUCKET_SECONDS) ?? 0);
    return requests === 0 ? NO_COUNTS : { ...NO_COUNTS, requests };
  });
  const past = trafficPastOf({ keyId: 'series', from, buckets, trackedSince: first }, { judgeFrom: from, to });
  return replayKey(trafficAnomaly, past, effectiveOf('traffic_anomaly', undefined));
}
