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
  readonly #routesOf = new RecentMap<string, Set<string>>(TRACKED_KEYS);

  constructor(limit: number) {
    this.#limit = limit;
  }

  apply(keyId: string, method: string, route: string): string {
    let routes = this.#routesOf.get(keyId);
    if (!routes) this.#routesOf.set(keyId, (routes = new Set()));
    const endpoint = `${method} ${route}`;
    if (routes.has(endpoint)) return route;
    if (routes.size < this.#limit) {
      routes.add(endpoint);
      return route;
    }
    routesFolded.inc();
    return OTHER_ROUTE;
  }
}
