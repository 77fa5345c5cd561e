import type { Store } from '../../workers/clickhouse/store.ts';
import { breakdownsOf } from './breakdowns.ts';
import { MAX_BUCKETS, type Range } from './calendar.ts';
import { endpointsOf } from './endpoint-usage.ts';
import {
  between,
  both,
  type KeyFilter,
  LATENCY,
  RAW_COUNTS,
  type RequestConditions,
  requestCondition,
} from './union.ts';
import type { Usage } from './usage.ts';
import { type SumRow, seriesOf, type Totals, totalsOf } from './usage-source.ts';

/** A {@link SumRow} of single requests. */
const SUMS = `${RAW_COUNTS}, countIf(status >= 300 AND status < 400) AS redirects, countIf(requests.rate_limited) AS rate_limited,
  sum(requests.request_bytes) AS request_bytes, sum(requests.response_bytes) AS response_bytes, ${LATENCY} AS latency`;

interface FilteredRow extends SumRow {
  part: 'bucket' | 'endpoint' | 'country' | 'status' | 'whole';
  bucket: number;
  method: string;
  route: string;
  country: string;
  status: number;
}

/**
 * What {@link Usage} says of the requests that meet all conditions. Conditions join several dimensions, which no rollup keeps together,
 * so this is one pass over the single requests of the keys for all its parts.
 */
export async function readFilteredUsage(
  store: Store,
  range: Range,
  keys: KeyFilter,
  conditions: Partial<RequestConditions>,
  wantsPrevious: boolean,
): Promise<Usage> {
  const matching = both(keys, requestCondition(conditions));
  const [rows, previous] = await Promise.all([
    readParts(store, range, matching),
    wantsPrevious ? readTotals(store, 2 * range.from - range.to, range.from, matching) : null,
  ]);
  const of = (part: FilteredRow['part']) => rows.filter((row) => row.part === part);
  return {
    totals: totalsOf(of('whole')[0]),
    previous,
    series: seriesOf(range.starts, of('bucket')),
    endpoints: endpointsOf(of('endpoint')),
    ...breakdownsOf(
      [...of('country'), ...of('status')].map(({ part, country, status, requests, client_errors, server_errors }) => ({
        part: part as 'country' | 'status',
        country,
        status,
        requests,
        errors: client_errors + server_errors,
      })),
    ),
  };
}

async function readParts(store: Store, range: Range, matching: KeyFilter): Promise<FilteredRow[]> {
  return store.query<FilteredRow>(
    `SELECT multiIf(grouping(bucket) = 0, 'bucket', grouping(route) = 0, 'endpoint', grouping(country) = 0, 'country',
         grouping(status) = 0, 'status', 'whole') AS part,
       roundDown(toUnixTimestamp(timestamp), {starts:Array(UInt32)}) AS bucket, method, route, country, status, ${SUMS}
     FROM requests WHERE ${matching.sql} AND ${between('timestamp', range)}
     GROUP BY GROUPING SETS ((bucket), (method, route), (country), (status), ())
     ORDER BY part, requests DESC, route, method, country, status LIMIT ${MAX_BUCKETS} BY part`,
    { ...matching.params, starts: range.starts },
  );
}

async function readTotals(store: Store, from: number, to: number, matching: KeyFilter): Promise<Totals> {
  const [row] = await store.query<SumRow>(
    `SELECT ${SUMS} FROM requests WHERE ${matching.sql} AND ${between('timestamp', { from, to })}`,
    matching.params,
  );
  return totalsOf(row);
}
