import type { Store } from '../../workers/clickhouse/store.ts';
import type { Range } from './calendar.ts';
import { segmentsOf, type Tier } from './segments.ts';
import { type KeyFilter, LATENCY_MERGE, usageRows } from './union.ts';
import {
  type Counts,
  oneKeySettings,
  type SumRow,
  seriesOf,
  type Totals,
  totalsOf,
  USAGE_COLUMNS,
} from './usage-source.ts';

/** Sums over rows of `usage_*`, as a {@link SumRow}. */
const SUMS = `sum(requests) AS requests, sum(redirects) AS redirects, sum(client_errors) AS client_errors,
  sum(server_errors) AS server_errors, sum(rate_limited) AS rate_limited, sum(request_bytes) AS request_bytes,
  sum(response_bytes) AS response_bytes, ${LATENCY_MERGE} AS latency`;

/** A row of UTC days fits into buckets only when these are UTC days or longer. */
export function coarsestTier({ bucket, timezone }: Range): Tier {
  if (bucket === 'minute') return 'minute';
  const calendar = bucket === 'day' || bucket === 'week' || bucket === 'month';
  return calendar && (timezone === 'UTC' || timezone === 'Etc/UTC') ? 'day' : 'quarter_hour';
}

/**
 * The range in buckets and as a whole, and the period before it as a whole, in one statement: its time is a bucket of its own (1),
 * read from the coarsest rows. Wholes are merged from the buckets: grouping sets would merge every sketch twice.
 */
export async function readTotalsAndSeries(
  store: Store,
  range: Range,
  keys: KeyFilter,
): Promise<{ totals: Totals; previous: Totals; series: (Counts & { start: string })[] }> {
  const { from, to, rowsTo, starts } = range;
  const segments = [...segmentsOf(2 * from - to, from, 'day'), ...segmentsOf(from, rowsTo, coarsestTier(range))];
  const rows = await store.query<SumRow & { inside: number; bucket: number }>(
    `SELECT start >= ${from} AS inside, if(inside, roundDown(toUnixTimestamp(start), {starts:Array(UInt32)}), 1) AS bucket, ${SUMS}
     FROM (${usageRows(segments, keys, `start, ${USAGE_COLUMNS}`)})
     GROUP BY inside, bucket WITH ROLLUP`,
    { ...keys.params, starts },
    oneKeySettings(store),
  );
  const inside = rows.filter((row) => row.inside === 1);
  return {
    totals: totalsOf(inside.find((row) => row.bucket === 0)),
    previous: totalsOf(rows.find((row) => row.inside === 0 && row.bucket === 1)),
    series: seriesOf(starts, inside),
  };
}
