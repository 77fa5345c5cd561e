import { z } from 'zod';
import { Problem } from '../../ingest/problem.ts';
import type { TokenGrant } from '../../ingest/token.ts';
import type { RegisteredKey } from '../../workers/keys/key.ts';
import { KEY_ORDERS, type KeyOrder } from '../../workers/keys/key-order.ts';
import { effectiveLimits, Plans, planOf } from '../../workers/keys/plans.ts';
import { readRateLimits, type SeenRateLimit } from '../../workers/rate-limits.ts';
import { decodeCursor, encodeCursor } from '../cursor.ts';
import {
  faultOf,
  fieldProblem,
  fieldsOf,
  noSuchKey,
  refuseForeign,
  registryProblem,
  withOwner,
} from '../key-changes.ts';
import { resolveRange } from '../queries/calendar.ts';
import { readSparklines } from '../queries/fleet-series.ts';
import type { KeyCursor, KeyListRequest } from '../queries/key-page.ts';
import { listKeys, organizationOfKey } from '../queries/keys.ts';
import { listKeysFrom } from '../queries/listed-keys.ts';
import { type OneKey, readKey } from '../queries/one-key.ts';
import { readUtilization, type Utilization } from '../queries/utilization.ts';
import { type ApiParts, route } from '../route.ts';
import { KeyBody, KeyParams, KeyResponse, KeyStatusSchema, LimitQuery } from '../schemas.ts';

const DAY_MS = 86_400_000;

/**
 * The key as it is answered.
 * @throws {Problem} 404 when there is no such key, or none that the grant may see: both look the same
 */
export async function findKey(parts: ApiParts, grant: TokenGrant, keyId: string): Promise<z.infer<typeof KeyResponse>> {
  const unseen = grant.keyId !== '' && grant.keyId !== keyId;
  const key = unseen ? undefined : await readKey(parts.store, keyId, Date.now());
  const isForeign = grant.organizationId !== '' && key?.organization_id !== grant.organizationId;
  if (!key || isForeign) throw noSuchKey();
  return (await answersOf(parts, [key]))[0]!;
}

/**
 * Only whether the grant may see the key, without its figures.
 * @returns organization of the key
 * @throws {Problem} 404 as in {@link findKey}
 */
export async function mustSeeKey(parts: ApiParts, grant: TokenGrant, keyId: string): Promise<string> {
  if (grant.keyId !== '' && grant.keyId !== keyId) throw noSuchKey();
  const organizationId = await organizationOfKey(parts.store, keyId);
  if (organizationId === undefined) throw noSuchKey();
  if (grant.organizationId !== '' && grant.organizationId !== organizationId) throw noSuchKey();
  return organizationId;
}

async function answersOf(parts: ApiParts, rows: readonly OneKey[]): Promise<z.infer<typeof KeyResponse>[]> {
  const ids = rows.map((row) => row.key_id);
  const [{ limited, utilization }, told] = await Promise.all([
    utilizationOf(parts, rows),
    readRateLimits(parts.store, ids),
  ]);
  return limited.map((row) => answerOf(row, utilization.get(row.key_id) ?? null, told.get(row.key_id)));
}

async function utilizationOf(parts: ApiParts, rows: readonly OneKey[]) {
  const plans = rows.some((row) => row.plan !== '') ? await new Plans(parts.store).list() : [];
  const limited = rows.map((row) => ({
    ...row,
    ...effectiveLimits(row, planOf(plans, row.organization_id, row.plan)),
  }));
  return { limited, utilization: await readUtilization(parts.store, limited, Date.now()) };
}

function answerOf(
  row: OneKey,
  utilization: Utilization | null,
  told: SeenRateLimit | undefined,
): z.infer<typeof KeyResponse> {
  const registered = row.version > 0;
  return {
    key_id: row.key_id,
    organization_id: row.organization_id,
    customer_id: row.customer_id,
    name: row.name,
    description: row.description,
    prefix: row.prefix,
    kind: row.kind,
    environment: row.environment,
    scopes: row.scopes,
    permissions: row.permissions === '' ? null : JSON.parse(row.permissions),
    plan: row.plan,
    limits: {
      per_minute: row.limit_per_minute,
      per_day: row.limit_per_day,
      per_month: row.limit_per_month,
      burst: row.limit_burst,
    },
    utilization,
    rate_limit: told ? rateLimitAnswer(told) : null,
    owner: { name: row.owner_name, email: row.owner_email },
    created_at: registered ? row.created_at : null,
    expires_at: row.expires_at,
    rotated_at: row.rotated_at,
    successor_key_id: row.successor_key_id,
    status: KeyStatusSchema.parse(row.status),
    status_reason: row.status_reason,
    status_changed_at: row.status_changed_at,
    leaked_at: row.leaked_at,
    version: row.version,
    tracking_since: row.tracking_since,
    last_used: row.has_traffic ? row.last_used : null,
    total_requests: row.total_requests,
    requests_30d: row.requests_30d,
    error_rate_30d: row.error_rate_30d,
  };
}

function rateLimitAnswer({ key_id, window_seconds, ...told }: SeenRateLimit) {
  return { ...told, window_seconds: window_seconds || null, used_share: 1 - Math.min(1, told.remaining / told.limit) };
}

export const getKey = route({
  method: 'get',
  path: '/v1/keys/:key_id',
  scope: 'read',
  summary: 'One key: registry fields, last use, lifetime and 30-day figures',
  params: KeyParams,
  response: KeyResponse,
  handle: ({ parts, grant, params }) => findKey(parts, grant, params.key_id),
});

const SORTS = KEY_ORDERS.flatMap((name) => [name, `-${name}`] as const) as [KeyOrder | `-${KeyOrder}`];

const Days = z.coerce.number().int().min(0).max(3650).default(0);

const ListQuery = z.object({
  organization_id: z.string().max(200).default(''),
  customer_id: z.string().max(200).default(''),
  environment: z.string().max(40).default(''),
  status: KeyStatusSchema.optional(),
  unused_days: Days.describe('known for this many days and not used in them'),
  expires_within_days: Days.describe('active, and expires within this many days'),
  limit_used_percent: z.coerce
    .number()
    .min(0)
    .max(1000)
    .default(0)
    .describe('active, and at least this much of one of its limits is in use'),
  include: z.enum(['', 'series']).default('').describe('series: also the requests per UTC day of the last 30 days'),
  search: z.string().max(200).default(''),
  sort: z.enum(SORTS).default('-requests_30d').describe('a leading minus sorts descending'),
  limit: LimitQuery(50, 500),
  cursor: z.string().max(1000).optional(),
});

const SERIES_DAYS = 30;
const SeriesResponse = z.object({
  from: z.iso.datetime().describe('start of the first day'),
  requests: z.array(z.number().int()).describe('per UTC day; the last one is today and still grows'),
  errors: z.array(z.number().int()),
});

/** A place in one order is none in another: a cursor belongs to the sort it was made with. */
function isCursorOf(sort: string): (value: unknown) => value is KeyCursor {
  const kind = sort.endsWith('key_id') ? 'string' : 'number';
  return (value): value is KeyCursor => {
    const cursor = value as (KeyCursor & { sort: string }) | null;
    return cursor?.sort === sort && typeof cursor.keyId === 'string' && typeof cursor.value === kind;
  };
}

export const getKeys = route({
  method: 'get',
  path: '/v1/keys',
  scope: 'read',
  summary:
    'Keys with their figures, page by page; keys nobody registered appear as discovered, deleted ones only when asked for',
  query: ListQuery,
  response: z.object({
    data: z.array(KeyResponse.extend({ series: SeriesResponse.optional() })),
    next_cursor: z.string().nullable(),
    figures_as_of: z.iso
      .datetime()
      .describe('time of the figures and of the order; with very many keys it lies up to some minutes back'),
  }),
  handle: async ({ parts, grant, query }) => {
    if (grant.organizationId !== '' && query.organization_id !== '' && query.organization_id !== grant.organizationId) {
      throw new Problem(403, 'Forbidden', 'the token is bound to another organization');
    }
    const descending = query.sort.startsWith('-');
    const nowMs = Date.now();
    const list = grant.keyId === '' ? await parts.keyLists.newest(nowMs) : undefined;
    const request: KeyListRequest = {
      organizationId: grant.organizationId || query.organization_id,
      customerId: query.customer_id,
      keyId: grant.keyId,
      environment: query.environment,
      status: query.status ?? '',
      search: query.search,
      withDeleted: query.status === 'deleted',
      unusedDays: query.unused_days,
      expiresWithinDays: query.expires_within_days,
      limitUsedPercent: query.limit_used_percent,
      sort: query.sort.replace('-', '') as KeyOrder,
      descending,
      limit: query.limit + 1,
      after: decodeCursor(query.cursor, isCursorOf(query.sort)),
    };
    const rows = list
      ? await listKeysFrom(parts.store, list.generation, request, nowMs, list.appeared)
      : await listKeys(parts.store, request, nowMs);
    const page = rows.slice(0, query.limit);
    const last = page.at(-1);
    const more = rows.length > query.limit && last;
    return {
      data: await withSeries(parts, await answersOf(parts, page), query.include === 'series'),
      next_cursor: more ? encodeCursor({ sort: query.sort, value: last.sort_value, keyId: last.key_id }) : null,
      figures_as_of: new Date(list?.generation.generation ?? nowMs).toISOString(),
    };
  },
});

/** The last 30 days of every key of a page, in one query. */
async function withSeries(
  parts: ApiParts,
  keys: z.infer<typeof KeyResponse>[],
  wanted: boolean,
): Promise<(z.infer<typeof KeyResponse> & { series?: z.infer<typeof SeriesResponse> })[]> {
  if (!wanted || keys.length === 0) return keys;
  const toMs = Date.now();
  const today = Math.floor(toMs / DAY_MS) * DAY_MS;
  const days = {
    fromMs: today - (SERIES_DAYS - 1) * DAY_MS,
    toMs: today + DAY_MS,
    bucket: 'day',
    timezone: 'UTC',
  } as const;
  const range = resolveRange(days, Number.POSITIVE_INFINITY, toMs / 1000);
  const ids = keys.map((key) => key.key_id);
  const lines = await readSparklines(parts.store, range, ids);
  const from = new Date(range.from * 1000).toISOString();
  return keys.map((key) => ({ ...key, series: { from, ...lines.get(key.key_id)! } }));
}

export const putKey = route({
  method: 'put',
  path: '/v1/keys/:key_id',
  scope: 'manage',
  reach: 'organization',
  summary: 'Register a key or change it; fields left out stay as they are. If-Match: the version to replace',
  requestHeaders: { 'If-Match': { description: 'version of the key that is to be replaced; 409 when it has another' } },
  statuses: {
    404: 'Others use the key, or it belongs to another organization',
    409: 'The key has another version than If-Match names, another key has this sha256, or another request is changing it',
  },
  params: KeyParams,
  body: KeyBody,
  response: KeyResponse,
  handle: async ({ parts, grant, params, body, req }) => {
    const fields = fieldsOf(body, grant);
    const owner = await ownerByUse(parts, grant, params.key_id);
    const expected = expectedVersion(req.get('if-match'));
    const plans = fields.plan ? await new Plans(parts.store).list() : [];
    await parts.registry
      .update(
        params.key_id,
        (present) => {
          refuseForeign(present, grant);
          const owned = withOwner(present, fields, owner);
          const fault = faultOf(present, owned, plans);
          if (fault) throw fieldProblem(fault);
          const isNew = present.version === 0 || present.deleted;
          // A repeat of a PUT whose answer was lost changes nothing, and must not look like a second change.
          if (!isNew && hasAlready(present, fields)) return undefined;
          const action = isNew ? 'key.registered' : 'key.updated';
          return { fields: owned, action, actor: grant.id, reason: '' };
        },
        expected,
      )
      .catch(registryProblem);
    return findKey(parts, { ...grant, keyId: '' }, params.key_id);
  },
});

function hasAlready(present: RegisteredKey, fields: Partial<RegisteredKey>): boolean {
  return Object.entries(fields).every(
    ([name, value]) => JSON.stringify(present[name as keyof RegisteredKey]) === JSON.stringify(value),
  );
}

function expectedVersion(ifMatch: string | undefined): number | undefined {
  if (ifMatch === undefined) return undefined;
  const version = /^(?:W\/)?"?(\d+)"?$/.exec(ifMatch)?.[1];
  if (version === undefined) throw fieldProblem({ field: 'If-Match', message: 'must be the version of the key' });
  return Number(version);
}

/**
 * Organization that uses a key, '' when there is none or any token of the platform does.
 * @throws {Problem} 404 where an organization would claim a key that others use: it would read their traffic
 */
async function ownerByUse(parts: ApiParts, grant: TokenGrant, keyId: string): Promise<string> {
  const organizationId = await organizationOfKey(parts.store, keyId);
  const isForeign = organizationId !== undefined && organizationId !== grant.organizationId;
  if (grant.organizationId !== '' && isForeign) throw noSuchKey();
  return organizationId ?? '';
}
