import { z } from 'zod';
import { Problem } from '../../ingest/problem.ts';
import type { TokenGrant } from '../../ingest/token.ts';
import { BUCKETS } from '../queries/buckets.ts';
import { type Range, resolveRange, startOfDayMs } from '../queries/calendar.ts';
import { readFleetSeries } from '../queries/fleet-series.ts';
import { GROUPS, organizationKeys, readGroupedUsage } from '../queries/grouped-usage.ts';
import { ALL_KEYS, type KeyFilter, ONE_KEY } from '../queries/union.ts';
import { readUsage } from '../queries/usage.ts';
import { type ApiParts, route } from '../route.ts';
import { ConditionQuery, KeyParams, LimitQuery, RangeQuery, UsageResponse } from '../schemas.ts';
import { mustSeeKey } from './keys.ts';

const DAY_MS = 86_400_000;
const DEFAULT_RANGE_MS = 7 * DAY_MS;
/** Records travel for at most about this long; a bucket that ends later may still grow. */
const SETTLE_MS = 10_000;

type RangeInput = z.infer<typeof RangeQuery>;

function rangeOf(parts: ApiParts, query: RangeInput): Range {
  const now = Date.now() / 1000;
  const msOf = (time: number | string) => (typeof time === 'string' ? startOfDayMs(time, query.timezone) : time);
  const toMs = msOf(query.to ?? Date.now());
  const fromMs = msOf(query.from ?? toMs - DEFAULT_RANGE_MS);
  const minutesKeptSince = now - (parts.config.RETENTION_MINUTE_DAYS - 1) * 86_400;
  return resolveRange({ fromMs, toMs, bucket: query.bucket, timezone: query.timezone }, minutesKeptSince, now);
}

/** The keys a grant may read. */
export function readableKeys(grant: TokenGrant): KeyFilter {
  if (grant.keyId !== '') return ONE_KEY(grant.keyId);
  return grant.organizationId === '' ? ALL_KEYS : organizationKeys(grant.organizationId);
}

const iso = (seconds: number) => new Date(seconds * 1000).toISOString();

export const keyUsage = route({
  method: 'get',
  path: '/v1/keys/:key_id/usage',
  scope: 'read',
  summary: 'Usage of one key: totals, the preceding period, a series, endpoints, countries and statuses',
  params: KeyParams,
  query: RangeQuery.extend(ConditionQuery.shape),
  response: UsageResponse,
  handle: async ({ parts, grant, params, query }) => {
    const range = rangeOf(parts, query);
    const { method, route, status, country } = query;
    const filters = Object.fromEntries(
      Object.entries({ method, route, status, country }).filter(([, value]) => value !== ''),
    );
    refuseBeyondRaw(parts, range, filters);
    // Filtered counts of a time whose requests are partly gone would show a change that never was.
    const previous = Object.keys(filters).length === 0 || areKept(parts, 2 * range.from - range.to);
    const ownsAll = grant.organizationId === '' && (grant.keyId === '' || grant.keyId === params.key_id);
    const [usage] = await Promise.all([
      readUsage(parts.store, { range, keys: ONE_KEY(params.key_id), conditions: filters, previous }),
      ownsAll ? undefined : mustSeeKey(parts, grant, params.key_id),
    ]);
    // Where whose key it is does not matter, counts prove that there is one.
    if (ownsAll && usage.totals.requests === 0) await mustSeeKey(parts, grant, params.key_id);
    return {
      key_id: params.key_id,
      from: iso(range.from),
      to: iso(range.to),
      bucket: range.bucket,
      timezone: range.timezone,
      complete_until: new Date(Date.now() - SETTLE_MS).toISOString(),
      filters,
      ...usage,
    };
  },
});

/** Several dimensions together are only in single requests, which are kept for a shorter time than counts. */
function refuseBeyondRaw(parts: ApiParts, range: Range, filters: object): void {
  const days = parts.config.RETENTION_REQUESTS_DAYS;
  if (Object.keys(filters).length === 0 || areKept(parts, range.from)) return;
  throw new Problem(400, 'Bad request', `from: filters reach back ${days} days, as single requests are kept`, {
    extra: { errors: [{ field: 'from', message: `filters reach back ${days} days, as single requests are kept` }] },
  });
}

/** Whether single requests of that time are still there; they are kept one day longer than configured. */
function areKept({ config }: ApiParts, from: number): boolean {
  return from * 1000 >= Date.now() - (config.RETENTION_REQUESTS_DAYS + 1) * DAY_MS;
}

const GroupedQuery = RangeQuery.extend({
  group_by: z.enum(GROUPS).default('key_id'),
  organization_id: z.string().max(200).default(''),
  limit: LimitQuery(50, 1000),
  include: z.enum(['', 'series']).default('').describe('series: also the counts of all these keys over time'),
});

const SeriesPoint = z.object({
  start: z.iso.datetime(),
  requests: z.number().int(),
  redirects: z.number().int(),
  client_errors: z.number().int(),
  server_errors: z.number().int(),
  rate_limited: z.number().int(),
});

export const groupedUsage = route({
  method: 'get',
  path: '/v1/usage',
  scope: 'read',
  summary: 'Usage of all readable keys together, by one property',
  query: GroupedQuery,
  response: z.object({
    from: z.iso.datetime(),
    to: z.iso.datetime(),
    group_by: z.enum(GROUPS),
    data: z.array(
      z.object({
        group: z.string(),
        requests: z.number().int(),
        client_errors: z.number().int(),
        server_errors: z.number().int(),
        error_rate: z.number(),
      }),
    ),
    bucket: z.enum(BUCKETS).optional().describe('of the series; absent without one, like the three below'),
    timezone: z.string().optional(),
    complete_until: z.iso.datetime().optional().describe('buckets that end later may still grow'),
    series: z.array(SeriesPoint).optional(),
  }),
  handle: async ({ parts, grant, query }) => {
    const range = rangeOf(parts, query);
    const keys = groupedKeys(grant, query.organization_id);
    const [data, series] = await Promise.all([
      readGroupedUsage(parts.store, query.group_by, range, keys, query.limit),
      query.include === 'series' ? readFleetSeries(parts.store, range, keys) : undefined,
    ]);
    const { bucket, timezone } = range;
    return {
      from: iso(range.from),
      to: iso(range.to),
      group_by: query.group_by,
      data,
      ...(series && { bucket, timezone, complete_until: new Date(Date.now() - SETTLE_MS).toISOString(), series }),
    };
  },
});

function groupedKeys(grant: TokenGrant, organizationId: string): KeyFilter {
  if (organizationId === '') return readableKeys(grant);
  if (grant.keyId !== '' || (grant.organizationId !== '' && grant.organizationId !== organizationId)) {
    throw new Problem(403, 'Forbidden', 'the token is bound to another organization or to one key');
  }
  return organizationKeys(organizationId);
}
