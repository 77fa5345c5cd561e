import { OTHER_ROUTE } from '../../ingest/route-limit.ts';
import type { Store } from '../../workers/clickhouse/store.ts';
import type { Range } from './calendar.ts';
import { segmentsOf } from './segments.ts';
import { dimensionRows, type KeyFilter, LATENCY_MERGE } from './union.ts';
import { errorRate, latencyOf, MAX_BREAKDOWN_ROWS, oneKeySettings } from './usage-source.ts';

export interface EndpointUsage {
  method: string;
  route: string;
  requests: number;
  error_rate: number;
  latency_ms: { p95: number | null };
  /** On the row `(other)`: about how many different paths were folded into it, of those still kept as single requests. */
  folded_paths?: number;
}

interface EndpointRow {
  method: string;
  route: string;
  requests: number;
  client_errors: number;
  server_errors: number;
  latency: (number | null)[];
}

/** Endpoints of the keys in the range, the most used first. */
export async function readEndpoints(store: Store, range: Range, keys: KeyFilter): Promise<EndpointUsage[]> {
  const segments = segmentsOf(range.from, range.rowsTo, 'day');
  const rows = await store.query<EndpointRow>(
    `SELECT method, route, sum(requests) AS requests, sum(client_errors) AS client_errors, sum(server_errors) AS server_errors,
       ${LATENCY_MERGE} AS latency
     FROM (${dimensionRows('endpoints', segments, keys, 'method, route')})
     GROUP BY method, route ORDER BY requests DESC, route, method LIMIT ${MAX_BREAKDOWN_ROWS}`,
    keys.params,
    oneKeySettings(store),
  );
  return endpointsOf(rows);
}

/** Answers of rows that are in order. */
export function endpointsOf(rows: readonly EndpointRow[]): EndpointUsage[] {
  return rows
    .slice(0, MAX_BREAKDOWN_ROWS)
    .map(({ method, route, requests, client_errors, server_errors, latency }) => ({
      method,
      route,
      requests,
      error_rate: errorRate(requests, client_errors + server_errors),
      latency_ms: { p95: latencyOf(latency).p95 },
    }));
}

/** The same endpoints; those that stand for many say for how many. */
export async function withFoldedPaths(
  store: Store,
  range: Range,
  keys: KeyFilter,
  endpoints: EndpointUsage[],
): Promise<EndpointUsage[]> {
  if (!endpoints.some(({ route }) => route === OTHER_ROUTE)) return endpoints;
  const folded = await foldedPaths(store, range, keys);
  return endpoints.map((endpoint) =>
    endpoint.route === OTHER_ROUTE ? { ...endpoint, folded_paths: folded.get(endpoint.method) ?? 0 } : endpoint,
  );
}

async function foldedPaths(store: Store, { from, to }: Range, keys: KeyFilter): Promise<Map<string, number>> {
  const rows = await store.query<{ method: string; paths: number }>(
    `SELECT method, uniq(path) AS paths FROM requests
     WHERE ${keys.sql} AND route = {other:String} AND timestamp >= toDateTime64(${from}, 3, 'UTC') AND timestamp < toDateTime64(${to}, 3, 'UTC')
     GROUP BY method`,
    { ...keys.params, other: OTHER_ROUTE },
  );
  return new Map(rows.map(({ method, paths }) => [method, paths]));
}
