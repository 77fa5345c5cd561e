import type { Store } from '../../workers/clickhouse/store.ts';
import type { Range } from './calendar.ts';
import { type EndpointUsage, readEndpoints } from './endpoint-usage.ts';
import type { Tier } from './segments.ts';
import { type KeyFilter, LATENCY_MERGE, type RequestConditions } from './union.ts';
import {
  ERROR_RATE,
  type Latency,
  latencyOf,
  MAX_BREAKDOWN_ROWS,
  rawRows,
  rollups,
  type Source,
} from './usage-source.ts';

/** Counts of one bucket. */
export interface Counts {
  requests: number;
  redirects: number;
  client_errors: number;
  server_errors: number;
  rate_limited: number;
  latency_ms: Latency;
}

/** Counts of a whole range. */
export interface Totals extends Counts {
  error_rate: number;
  request_bytes: number;
  response_bytes: number;
}

export interface Usage {
  totals: Totals;
  previous: Totals;
  series: (Counts & { start: string })[];
  endpoints: EndpointUsage[];
  countries: { country: string; requests: number; error_rate: number }[];
  statuses: { status: number; requests: number }[];
}

const SUMS = `sum(requests) AS requests, sum(redirects) AS redirects, sum(client_errors) AS client_errors,
  sum(server_errors) AS server_errors, sum(rate_limited) AS rate_limited, sum(request_bytes) AS request_bytes,
  sum(response_bytes) AS response_bytes, ${LATENCY_MERGE} AS latency_ms`;

interface SumRow extends Omit<Totals, 'latency_ms' | 'error_rate'> {
  latency_ms: (number | null)[];
}

/** Everything the usage tab shows of the keys in `range`; with conditions, only of the requests that meet them. */
export async function readUsage(
  store: Store,
  range: Range,
  keys: KeyFilter,
  conditions: Partial<RequestConditions> = {},
): Promise<Usage> {
  const conditional = Object.values(conditions).some((value) => value !== '');
  const source = conditional ? rawRows(keys, conditions) : rollups(keys);
  const length = range.to - range.from;
  const [bySeries, previous, endpoints, countries, statuses] = await Promise.all([
    readSeries(store, range, source),
    readTotals(store, range.from - length, range.from, source),
    readEndpoints(store, range, keys, source),
    readBreakdown<{ country: string; requests: number; error_rate: number }>(
      store,
      source,
      'countries',
      range,
      'country',
    ),
    readBreakdown<{ status: number; requests: number; error_rate: number }>(store, source, 'statuses', range, 'status'),
  ]);
  return {
    totals: bySeries.totals,
    previous,
    series: bySeries.series,
    endpoints,
    countries,
    statuses: statuses.map(({ status, requests }) => ({ status, requests })),
  };
}

/** A row of UTC days fits into buckets only when these are UTC days or longer. */
export function coarsestTier({ bucket, timezone }: Range): Tier {
  if (bucket === 'minute') return 'minute';
  const calendar = bucket === 'day' || bucket === 'week' || bucket === 'month';
  return calendar && (timezone === 'UTC' || timezone === 'Etc/UTC') ? 'day' : 'quarter_hour';
}

/** The whole range is the row of bucket 0, merged from the buckets: grouping sets would merge every sketch twice. */
async function readSeries(store: Store, range: Range, source: Source): Promise<Pick<Usage, 'totals' | 'series'>> {
  const rows = await store.query<SumRow & { bucket: number; whole: number }>(
    `SELECT roundDown(toUnixTimestamp(start), {starts:Array(UInt32)}) AS bucket, bucket = 0 AS whole, ${SUMS}
     FROM (${source.counts(range.from, range.rowsTo, coarsestTier(range))})
     GROUP BY bucket WITH ROLLUP`,
    { ...source.params, starts: range.starts },
  );
  const whole = rows.find((row) => row.whole === 1);
  const byBucket = new Map(rows.filter((row) => row.whole === 0).map((row) => [row.bucket, row]));
  const series = range.starts.map((start) => ({
    start: new Date(start * 1000).toISOString(),
    ...countsOf(byBucket.get(start)),
  }));
  return { totals: totalsOf(whole), series };
}

async function readTotals(store: Store, from: number, to: number, source: Source): Promise<Totals> {
  const [row] = await store.query<SumRow>(`SELECT ${SUMS} FROM (${source.counts(from, to, 'day')})`, source.params);
  return totalsOf(row);
}

async function readBreakdown<Row>(
  store: Store,
  source: Source,
  table: 'countries' | 'statuses',
  range: Range,
  by: string,
): Promise<Row[]> {
  return store.query<Row>(
    `SELECT ${by}, sum(requests) AS requests, ${ERROR_RATE}
     FROM (${source.dimension(table, range, by)})
     GROUP BY ${by} ORDER BY requests DESC, ${by} LIMIT ${MAX_BREAKDOWN_ROWS}`,
    source.params,
  );
}

function countsOf(row: SumRow | undefined): Counts {
  return {
    requests: row?.requests ?? 0,
    redirects: row?.redirects ?? 0,
    client_errors: row?.client_errors ?? 0,
    server_errors: row?.server_errors ?? 0,
    rate_limited: row?.rate_limited ?? 0,
    latency_ms: latencyOf(row?.latency_ms),
  };
}

function totalsOf(row: SumRow | undefined): Totals {
  const counts = countsOf(row);
  return {
    ...counts,
    error_rate: counts.requests === 0 ? 0 : (counts.client_errors + counts.server_errors) / counts.requests,
    request_bytes: row?.request_bytes ?? 0,
    response_bytes: row?.response_bytes ?? 0,
  };
}
