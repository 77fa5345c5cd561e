import { OTHER_ROUTE } from '../../ingest/route-limit.ts';
import type { Store } from '../../workers/clickhouse/store.ts';
import type { Range } from './calendar.ts';
import { type KeyFilter, LATENCY_MERGE } from './union.ts';
import { ERROR_RATE, latencyOf, MAX_BREAKDOWN_ROWS, type Source } from './usage-source.ts';

export interface EndpointUsage {
  method: string;
  route: string;
  requests: number;
  error_rate: number;
  latency_ms: { p95: number | null };
  /** On the row `(other)`: about how many different paths were folded into it, of those still kept as single requests. */
  folded_paths?: number;
}

type EndpointRow = Omit<EndpointUsage, 'latency_ms'> & { latency: (number | null)[] };

/** Endpoints of the keys in the range, the most used first. */
export async function readEndpoints(
  store: Store,
  range: Range,
  keys: KeyFilter,
  source: Source,
): Promise<EndpointUsage[]> {
  const rows = await store.query<EndpointRow>(
    `SELECT method, route, sum(requests) AS requests, ${ERROR_RATE}, ${LATENCY_MERGE} AS latency
     FROM (${source.dimension('endpoints', range, 'method, route')})
     GROUP BY method, route ORDER BY requests DESC, route, method LIMIT ${MAX_BREAKDOWN_ROWS}`,
    source.params,
  );
  const folded = rows.some(({ route }) => route === OTHER_ROUTE) ? await foldedPaths(store, range, keys) : undefined;
  return rows.map(({ latency, ...row }) => ({
    ...row,
    latency_ms: { p95: latencyOf(latency).p95 },
    ...(row.route === OTHER_ROUTE ? { folded_paths: folded?.get(row.method) ?? 0 } : {}),
  }));
}

async function foldedPaths(store: Store, { from, to }: Range, keys: KeyFilter): Promise<Map<string, number>> {
  const rows = await store.query<{ method: string; paths: number }>(
    `SELECT method, uniq(path) AS paths FROM requests
     WHERE ${keys.sql} AND route = {other:String} AND timestamp >= toDateTime(${from}, 'UTC') AND timestamp < toDateTime(${to}, 'UTC')
     GROUP BY method`,
    { ...keys.params, other: OTHER_ROUTE },
  );
  return new Map(rows.map(({ method, paths }) => [method, paths]));
}
