import type { Sample } from './traffic.ts';

/** Counts as /usage gives them, computed record by record from the generated traffic, with no code of the product. */
export interface TruthCounts {
  requests: number;
  redirects: number;
  client_errors: number;
  server_errors: number;
  rate_limited: number;
  request_bytes: number;
  response_bytes: number;
  latencies: number[];
}

export function emptyTruth(): TruthCounts {
  return {
    requests: 0,
    redirects: 0,
    client_errors: 0,
    server_errors: 0,
    rate_limited: 0,
    request_bytes: 0,
    response_bytes: 0,
    latencies: [],
  };
}

function addTruth(counts: TruthCounts, sample: Sample): void {
  counts.requests++;
  if (sample.status >= 300 && sample.status < 400) counts.redirects++;
  if (sample.status >= 400 && sample.status < 500) counts.client_errors++;
  if (sample.status >= 500) counts.server_errors++;
  if (sample.status === 429) counts.rate_limited++;
  counts.request_bytes += sample.request_bytes;
  counts.response_bytes += sample.response_bytes;
  if (sample.latency_ms !== null) counts.latencies.push(sample.latency_ms);
}

/** Groups samples by a name and counts each group. */
export function countBy(samples: Iterable<Sample>, nameOf: (sample: Sample) => string): Map<string, TruthCounts> {
  const groups = new Map<string, TruthCounts>();
  for (const sample of samples) {
    const name = nameOf(sample);
    let counts = groups.get(name);
    if (!counts) groups.set(name, (counts = emptyTruth()));
    addTruth(counts, sample);
  }
  return groups;
}

/** Whether a sketch's quantile is right: within 1 % (and the rounding of the answer) of the values around its rank. */
export function quantileFits(latencies: readonly number[], level: number, answered: number | null): boolean {
  if (latencies.length === 0) return answered === null;
  if (answered === null) return false;
  const sorted = Float64Array.from(latencies).sort();
  const rank = level * (sorted.length - 1);
  const low = sorted[Math.max(0, Math.floor(rank) - 1)]!;
  const high = sorted[Math.min(sorted.length - 1, Math.ceil(rank) + 1)]!;
  return answered >= low * 0.985 - 0.001 && answered <= high * 1.015 + 0.001;
}

const FORMATS = new Map<string, Intl.DateTimeFormat>();

/** Local calendar fields of an instant, from the platform's own zone data. */
function localFields(ms: number, timezone: string): Record<'year' | 'month' | 'day' | 'hour' | 'minute', number> {
  let format = FORMATS.get(timezone);
  if (!format) {
    format = new Intl.DateTimeFormat('en-GB', {
      timeZone: timezone,
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
      hour: '2-digit',
      minute: '2-digit',
      hourCycle: 'h23',
    });
    FORMATS.set(timezone, format);
  }
  const parts = Object.fromEntries(format.formatToParts(ms).map(({ type, value }) => [type, Number(value)]));
  return parts as Record<'year' | 'month' | 'day' | 'hour' | 'minute', number>;
}

/** Name of the local bucket an instant falls into: equal names = same bucket. */
export function bucketName(ms: number, bucket: string, timezone: string): string {
  const { year, month, day, hour, minute } = localFields(ms, timezone);
  const pad = (value: number) => String(value).padStart(2, '0');
  const date = `${year}-${pad(month)}-${pad(day)}`;
  if (bucket === 'month') return `${year}-${pad(month)}`;
  if (bucket === 'day') return date;
  if (bucket === 'week') {
    const weekday = (new Date(`${date}T00:00:00Z`).getUTCDay() + 6) % 7;
    return `week of ${new Date(Date.parse(`${date}T00:00:00Z`) - weekday * 86_400_000).toISOString().slice(0, 10)}`;
  }
  // Hours of a clock change repeat their local name; the offset tells them apart.
  const offset = Math.round((Date.UTC(year, month - 1, day, hour, minute) - Math.floor(ms / 60_000) * 60_000) / 60_000);
  const size = { minute: 1, quarter_hour: 15, hour: 60 }[bucket]!;
  return `${date} ${pad(hour)}:${pad(Math.floor(minute / size) * size)} ${offset}`;
}
