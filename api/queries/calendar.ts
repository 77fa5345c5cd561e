import { DateTime, IANAZone } from 'luxon';
import { Problem } from '../../ingest/problem.ts';
import { RecentMap } from '../../ingest/recent-map.ts';
import type { Bucket } from './buckets.ts';

export const MINUTE_SECONDS = 60;
export const QUARTER_HOUR_SECONDS = 900;
const HOUR_SECONDS = 3_600;
export const DAY_SECONDS = 86_400;
/** 90 days of hours and a margin: more points than this say nothing on a screen. */
export const MAX_BUCKETS = 3_000;

/** A range of time as it is answered: whole seconds since the epoch, `to` not included. */
export interface Range {
  from: number;
  to: number;
  /**
   * End of the rollup rows that belong to it: `to`, or the end of the present quarter hour where the range reaches the present.
   * Nothing lies between but what a gateway dates ahead, and one row replaces the single requests of the last minutes.
   */
  rowsTo: number;
  bucket: Bucket;
  timezone: string;
  /** First second of every bucket that touches the range, ascending. */
  starts: number[];
}

export interface RangeRequest {
  fromMs: number;
  toMs: number;
  bucket: Bucket | 'auto';
  timezone: string;
}

/** Bucket that shows a range in roughly 30 to 200 points; in fewer where the range is short and its minutes are gone. */
function autoBucket(seconds: number, minutesThere: boolean): Bucket {
  if (seconds <= 3 * HOUR_SECONDS && minutesThere) return 'minute';
  if (seconds <= 36 * HOUR_SECONDS) return 'quarter_hour';
  if (seconds <= 10 * DAY_SECONDS) return 'hour';
  if (seconds <= 120 * DAY_SECONDS) return 'day';
  if (seconds <= 730 * DAY_SECONDS) return 'week';
  return 'month';
}

/**
 * The range that is answered for what was asked: widened to whole minutes, or to quarter hours where minutes
 * are not kept any more, and cut into buckets of the given time zone.
 *
 * @param minutesKeptSince epoch seconds from which counts per minute exist
 * @param now epoch seconds
 * @throws {Problem} 400 for an empty range, an unknown zone, too many buckets, or minutes that are gone
 */
export function resolveRange(request: RangeRequest, minutesKeptSince: number, now: number): Range {
  const { timezone } = request;
  refuseUnknownZone(timezone);
  refuseEmpty(request.fromMs, request.toMs);
  const asked = Math.ceil((request.toMs - request.fromMs) / 1000);
  const minutesThere = request.fromMs / 1000 >= minutesKeptSince;
  const bucket = request.bucket === 'auto' ? autoBucket(asked, minutesThere) : request.bucket;
  if (bucket === 'minute' && !minutesThere)
    throw badField('bucket', 'minutes are not kept for so long; use quarter_hour');
  const step = minutesThere ? MINUTE_SECONDS : QUARTER_HOUR_SECONDS;
  const from = Math.floor(request.fromMs / 1000 / step) * step;
  const to = Math.ceil(request.toMs / 1000 / step) * step;
  const rowsTo = to >= now ? Math.ceil(to / QUARTER_HOUR_SECONDS) * QUARTER_HOUR_SECONDS : to;
  return { from, to, rowsTo, bucket, timezone, starts: bucketStarts(from, to, bucket, timezone) };
}

/**
 * The first moment of a day, epoch milliseconds: 00:00, or what follows where a clock change leaves it out.
 * @param date such as 2026-11-01, checked
 * @throws {Problem} 400 for an unknown zone
 */
export function startOfDayMs(date: string, timezone: string): number {
  refuseUnknownZone(timezone);
  return DateTime.fromISO(date, { zone: timezone }).startOf('day').toMillis();
}

function refuseUnknownZone(timezone: string): void {
  if (!isTimezone(timezone)) throw badField('timezone', `"${timezone}" is not an IANA time zone`);
}

/** @throws {Problem} 400 for a range that holds no time */
export function refuseEmpty(fromMs: number, toMs: number): void {
  if (toMs <= fromMs) throw badField('to', 'must be later than from');
}

function badField(field: string, message: string): Problem {
  return new Problem(400, 'Bad request', `${field}: ${message}`, { extra: { errors: [{ field, message }] } });
}

/** The system's calendar is slow: zone and starts of 28 days took 2.6 ms of each answer. Both are the same every time. */
const knownTimezones = new RecentMap<string, boolean>(500);
/** By zone, length and first bucket; each list goes on to the first start that was not asked for. */
const knownStarts = new RecentMap<string, number[]>(100);

function isTimezone(name: string): boolean {
  const known = knownTimezones.get(name);
  if (known !== undefined) return known;
  const isValid = IANAZone.isValidZone(name);
  knownTimezones.set(name, isValid);
  return isValid;
}

/**
 * First seconds of the buckets that touch [from, to). Hours and shorter are even steps that begin at a full
 * local hour (offsets are multiples of 15 minutes); days and longer follow the calendar of the zone, so a
 * day of a clock change has 23 or 25 hours.
 */
export function bucketStarts(from: number, to: number, bucket: Bucket, timezone: string): number[] {
  if (bucket === 'day' || bucket === 'week' || bucket === 'month') return calendarStarts(from, to, bucket, timezone);
  const step = { minute: MINUTE_SECONDS, quarter_hour: QUARTER_HOUR_SECONDS, hour: HOUR_SECONDS }[bucket];
  const offset = DateTime.fromSeconds(from, { zone: timezone }).offset * 60;
  const first = Math.floor((from + offset) / step) * step - offset;
  const count = Math.ceil((to - first) / step);
  if (count > MAX_BUCKETS) throw tooManyBuckets();
  return Array.from({ length: count }, (_, n) => first + n * step);
}

function calendarStarts(from: number, to: number, bucket: 'day' | 'week' | 'month', timezone: string): number[] {
  const first = DateTime.fromSeconds(from, { zone: timezone }).startOf(bucket).toSeconds();
  const name = `${timezone} ${bucket} ${first}`;
  const starts = knownStarts.get(name) ?? [first];
  knownStarts.set(name, starts);
  while (starts.at(-1)! < to) {
    if (starts.length > MAX_BUCKETS) throw tooManyBuckets();
    const last = DateTime.fromSeconds(starts.at(-1)!, { zone: timezone });
    starts.push(
      last
        .plus({ [bucket]: 1 })
        .startOf(bucket)
        .toSeconds(),
    );
  }
  return starts.filter((start) => start < to);
}

function tooManyBuckets(): Problem {
  return badField('bucket', `more than ${MAX_BUCKETS} buckets; use a longer bucket`);
}
