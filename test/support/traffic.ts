import type { Random } from './random.ts';

/** One generated request, with everything the rollups are made of. */
export interface Sample {
  key_id: string;
  timestamp: number;
  method: string;
  path: string;
  route: string;
  status: number;
  latency_ms: number | null;
  request_bytes: number;
  response_bytes: number;
  country: string;
  user_agent: string;
  service: string;
  environment: string;
}

const STATUSES = [200, 200, 200, 200, 200, 200, 201, 204, 301, 304, 400, 401, 404, 429, 500, 502];
const COUNTRIES = ['SE', 'US', 'IN', 'DE', 'BR', 'ZZ'];

/** Records spread over [fromMs, toMs): few keys with much traffic, some with little. */
export function generateTraffic(random: Random, count: number, keys: number, fromMs: number, toMs: number): Sample[] {
  return Array.from({ length: count }, () => {
    const key = Math.floor(random.next() ** 2 * keys);
    const route = `/v1/things/{id}/part${random.integer(0, 11)}`;
    return {
      key_id: `key_${key}`,
      timestamp: Math.floor(fromMs + random.next() * (toMs - fromMs)),
      method: random.pick(['GET', 'GET', 'GET', 'POST', 'DELETE']),
      path: route.replace('{id}', String(random.integer(1, 500))),
      route,
      status: random.pick(STATUSES),
      latency_ms: random.next() < 0.1 ? null : Math.round(2 + random.next() ** 4 * 4_000_000) / 1000,
      request_bytes: random.integer(0, 4_000),
      response_bytes: random.integer(0, 90_000),
      country: random.pick(COUNTRIES),
      user_agent: random.pick(['curl/8.5', 'okhttp/4.12', 'python-requests/2.32']),
      service: random.pick(['checkout', 'search']),
      environment: key % 2 === 0 ? 'production' : 'staging',
    };
  });
}
