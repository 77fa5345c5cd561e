import type { ApiClient } from '../http/client.ts';
import type { Alert, ApiKey, FleetUsage, GroupedUsage, Page } from '../http/contract.ts';
import { type Resource, useResource } from '../http/use-resource.ts';
import type { Span } from '../time/range.ts';
import { NEAR_LIMIT } from '../usage-tab/limit-use.ts';

/** Keys beyond these are in the totals, but in no list of keys. */
export const LISTED_KEYS = 500;
const LISTED_ROUTES = 50;
/** More than there are statuses or countries: these sums are complete. */
const ALL = 1000;

export interface Overview {
  /** By status, and over time. */
  statuses: Resource<FleetUsage>;
  statusesBefore: Resource<GroupedUsage>;
  byKey: Resource<GroupedUsage>;
  byKeyBefore: Resource<GroupedUsage>;
  routes: Resource<GroupedUsage>;
  countries: Resource<GroupedUsage>;
  /** The busiest keys with their names. */
  keys: Resource<Page<ApiKey>>;
  discovered: Resource<Page<ApiKey>>;
  expiring: Resource<Page<ApiKey>>;
  alerts: Resource<Page<Alert>>;
  unused: Resource<Page<ApiKey>>;
  nearLimit: Resource<Page<ApiKey>>;
}

function useFleet(api: ApiClient, { from, to }: Span, timezone: string): Resource<FleetUsage> {
  const [start, end] = [from, to].map((at) => new Date(at).toISOString());
  const query = { group_by: 'status', include: 'series', limit: ALL, from: start, to: end, timezone };
  return useResource(JSON.stringify(query), (signal) => api.get<FleetUsage>(USAGE, query, signal));
}

/** Each part is its own question: one that fails or takes long leaves the others alone. */
export function useOverview(api: ApiClient, span: Span, zone: string, now: number): Overview {
  const before = { from: 2 * span.from - span.to, to: span.from };
  const grouped = (group_by: string, { from, to }: Span, limit: number) => {
    const query = { group_by, limit, from: new Date(from).toISOString(), to: new Date(to).toISOString() };
    return { name: JSON.stringify(query), load: (signal: AbortSignal) => api.get<GroupedUsage>(USAGE, query, signal) };
  };
  const useGrouped = (group: string, range: Span, limit: number) => {
    const { name, load } = grouped(group, range, limit);
    return useResource(name, load);
  };
  const useKeys = (query: Record<string, string | number>) =>
    useResource(`${JSON.stringify(query)} ${now}`, (signal) => api.get<Page<ApiKey>>('/v1/keys', query, signal));
  return {
    statuses: useFleet(api, span, zone),
    statusesBefore: useGrouped('status', before, ALL),
    byKey: useGrouped('key_id', span, LISTED_KEYS),
    byKeyBefore: useGrouped('key_id', before, LISTED_KEYS),
    routes: useGrouped('route', span, LISTED_ROUTES),
    countries: useGrouped('country', span, ALL),
    keys: useKeys({ sort: '-requests_30d', limit: 100 }),
    // The api does not sort by the first use; a key seen for the first time was also used lately.
    discovered: useKeys({ status: 'discovered', sort: '-last_used', limit: 100 }),
    alerts: useResource(`alerts ${now}`, (signal) =>
      api.get<Page<Alert>>('/v1/alerts', { phase: 'open', limit: 20 }, signal),
    ),
    expiring: useKeys({ expires_within_days: 30, sort: 'expires_at', limit: 50 }),
    unused: useKeys({ unused_days: 90, sort: 'last_used', limit: 50 }),
    nearLimit: useKeys({ limit_used_percent: 100 * NEAR_LIMIT, sort: '-limit_used', limit: 50 }),
  };
}

const USAGE = '/v1/usage';
