import { DAY, HOUR, MINUTE } from './range.ts';
import { instantOf, wallClock } from './zone.ts';

export const BUCKETS = ['minute', 'quarter_hour', 'hour', 'day', 'week', 'month'] as const;
export type Bucket = (typeof BUCKETS)[number];
export type BucketChoice = Bucket | 'auto';

export const BUCKET_NAMES: Record<BucketChoice, string> = {
  auto: 'Auto',
  minute: 'Minute',
  quarter_hour: '15 minutes',
  hour: 'Hour',
  day: 'Day',
  week: 'Week',
  month: 'Month',
};

const NOMINAL: Record<Bucket, number> = {
  minute: MINUTE,
  quarter_hour: 15 * MINUTE,
  hour: HOUR,
  day: DAY,
  week: 7 * DAY,
  month: 30 * DAY,
};

/** Roughly how long a bucket is; for choosing, never for arithmetic on dates. */
export function nominalLength(bucket: Bucket): number {
  return NOMINAL[bucket];
}

/** A finer bucket than this would be refused by the api or be unreadable stripes. */
const MAX_BUCKETS = 2_200;

export function bucketFits(bucket: BucketChoice, length: number): boolean {
  if (bucket === 'auto') return true;
  return length / NOMINAL[bucket] <= MAX_BUCKETS;
}

/** Days, weeks and months end on a wall clock: a day is 23 or 25 hours long twice a year. */
export function bucketEnd(start: number, bucket: Bucket, zone: string): number {
  const wall = wallClock(start, zone);
  switch (bucket) {
    case 'day':
      return instantOf({ ...wall, day: wall.day + 1, hour: 0, minute: 0 }, zone);
    case 'week':
      return instantOf({ ...wall, day: wall.day + 7, hour: 0, minute: 0 }, zone);
    case 'month':
      return instantOf({ ...wall, month: wall.month + 1, day: 1, hour: 0, minute: 0 }, zone);
    default:
      return start + NOMINAL[bucket];
  }
}

export interface Slot {
  start: number;
  end: number;
  /** False while records for it may still arrive: drawn lighter, so that it does not read as a drop. */
  complete: boolean;
  /** The range begins or ended within it, so it holds a part of its requests: drawn lighter, too. */
  cut?: boolean;
}

/** What slots are made of in an answer: its buckets, and the range they were asked for. */
export interface Bucketed {
  series: readonly { start: string }[];
  bucket: Bucket;
  timezone: string;
  from: string;
  to: string;
  complete_until: string | null;
}

export function slotsOf({ series, bucket, timezone, from, to, complete_until }: Bucketed): Slot[] {
  const times = series.map(({ start }) => Date.parse(start));
  const known = complete_until ? Date.parse(complete_until) : Number.POSITIVE_INFINITY;
  const [first, last] = [Date.parse(from), Date.parse(to)];
  return times.map((start, index) => {
    const end = times[index + 1] ?? bucketEnd(start, bucket, timezone);
    const complete = Math.min(end, last) <= known;
    // Of one that still fills, the rest lies in the future and not beyond the range.
    return { start, end, complete, cut: start < first || (complete && end > last) };
  });
}
