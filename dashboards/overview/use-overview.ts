import type { ApiClient } from '../http/client.ts';
import type { Alert } from '../http/contract/alerts.ts';
import type { ApiKey } from '../http/contract/keys.ts';
import type { Page } from '../http/contract/page.ts';
import type { FleetUsage, GroupedUsage } from '../http/contract/usage.ts';
import { type Resource, useResource } from '../http/use-resource.ts';
import type { Span } from '../time/range.ts';
import { NEAR_LIMIT } from '../usage-tab/limit-use.ts';
import { type Asked, answerBefore } from './answer-before.ts';
import { LISTED_KEYS } from './totals.ts';

const LISTED_ROUTES = 50;
/** More than there are statuses or countries: these sums are complete. */
const ALL = 1000;

export interface Overview {
  /** By status, and over time. */
  statuses: Resource<FleetUsage & Asked>;
  statusesBefore: Resource<GroupedUsage & Asked>;
  byKey: Resource<GroupedUsage & Asked>;
  byKeyBefore: Resource<GroupedUsage & Asked>;
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

/** Each part is its own question: one that fails or takes long leaves the others alone. */
export function useOverview(api: ApiClient, span: Span, zone: string, now: number): Overview {
  const before = { from: 2 * span.from - span.to, to: span.from };
  const useGrouped = <Answer extends GroupedUsage>(group_by: string, asked: Span, limit: number, more = {}) => {
    const [from, to] = [asked.from, asked.to].map((at) => new Date(at).toISOString());
    const query = { group_by, limit, from, to, ...more };
    return useResource(`${JSON.stringify(query)} ${now}`, async (signal) => ({
      ...(await api.get<Answer>('/v1/usage', query, signal)),
      asked,
    }));
  };
  const useKeys = (query: Record<string, string | number>) =>
    useResource(`${JSON.stringify(query)} ${now}`, (signal) => api.get<Page<ApiKey>>('/v1/keys', query, signal));
  const statuses = useGrouped<FleetUsage>('status', span, ALL, { include: 'series', timezone: zone });
  const statusesBefore = useGrouped('status', before, ALL);
  const byKey = useGrouped('key_id', span, LISTED_KEYS);
  const byKeyBefore = useGrouped('key_id', before, LISTED_KEYS);
  return {
    statuses,
    statusesBefore: { ...statusesBefore, data: answerBefore(statuses.data, statusesBefore.data) },
    byKey,
    byKeyBefore: { ...byKeyBefore, data: answerBefore(byKey.data, byKeyBefore.data) },
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
