import { routesFolded } from './metrics.ts';
import { RecentMap } from './recent-map.ts';

/** What a route beyond the bound of its key is counted as. */
export const OTHER_ROUTE = '(other)';
/** Keys whose routes are remembered; the least recently used key starts anew. */
const TRACKED_KEYS = 20_000;

/**
 * Bounds the number of distinct routes per key: a scanner must not turn one key into a million rollup rows.
 * The decision is taken at the edge, before the batch is made, so that a retried batch always holds the same
 * rows. Each collector keeps its own set: the bound per key is `limit` times the number of collectors.
 */
export class RouteLimit {
  readonly #limit: number;
  readonly #endpointsOf = new RecentMap<string, Endpoints>(TRACKED_KEYS);

  constructor(limit: number) {
    this.#limit = limit;
  }

  apply(keyId: string, method: string, route: string): string {
    let endpoints = this.#endpointsOf.get(keyId);
    if (!endpoints) this.#endpointsOf.set(keyId, (endpoints = { count: 0, routesOf: new Map() }));
    let routes = endpoints.routesOf.get(method);
    if (routes?.has(route)) return route;
    if (endpoints.count >= this.#limit) {
      routesFolded.inc();
      return OTHER_ROUTE;
    }
    if (!routes) endpoints.routesOf.set(method, (routes = new Set()));
    routes.add(route);
    endpoints.count++;
    return route;
  }
}

/** Of one key, routes by method: joining both into one text would cost more than the look-up. */
interface Endpoints {
  count: number;
  routesOf: Map<string, Set<string>>;
}
