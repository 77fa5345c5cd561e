import { z } from 'zod';
import { BUCKETS } from './queries/buckets.ts';

/** Building blocks of the contract: snake_case, units in names, RFC 3339 UTC times. */

export const KeyParams = z.object({ key_id: z.string().min(1).max(200) });

/** A date, or a time of a known offset: with seconds, and to the minute. */
const TIMES = [z.iso.date(), z.iso.datetime({ offset: true }), z.iso.datetime({ offset: true, precision: -1 })];

/** Checked before it is parsed: `Date` reads a time without offset in the zone of this machine, and moves days that no month has. */
const timeText = z
  .string()
  .refine(
    (value) => TIMES.some((shape) => shape.safeParse(value).success),
    'must be a date such as 2026-11-01, or an RFC 3339 time with its offset such as 2026-11-01T12:00:00Z',
  );
const TIME_FORMAT = { type: 'string', format: 'date-time' } as const;

/** Epoch milliseconds; a date begins at 00:00 UTC. */
const time = timeText.transform((value) => Date.parse(value)).meta(TIME_FORMAT);

/** Epoch milliseconds, or a date as it is: when it begins, the time zone that is asked for says. */
const timeOrDate = timeText
  .transform((value) => (z.iso.date().safeParse(value).success ? value : Date.parse(value)))
  .meta(TIME_FORMAT);

export const RangeQuery = z.object({
  from: timeOrDate.optional().describe('default: 7 days before to; a date is its first moment in the timezone'),
  to: timeOrDate.optional().describe('default: now; not included'),
  bucket: z.enum(['auto', ...BUCKETS]).default('auto'),
  timezone: z.string().max(64).default('UTC').describe('IANA name, e.g. Europe/Stockholm'),
});

/** Filters on single requests. Methods and countries are stored in capitals. */
export const ConditionQuery = z.object({
  method: z.string().max(24).toUpperCase().default(''),
  route: z.string().max(512).default(''),
  status: z
    .string()
    .regex(/^([1-5]xx|[1-5]\d\d|)$/, 'must be a status such as 404 or a class such as 5xx')
    .default(''),
  country: z.string().max(2).toUpperCase().default(''),
});

export const LimitQuery = (fallback: number, max: number) => z.coerce.number().int().min(1).max(max).default(fallback);

const Latency = z.object({ p50: z.number().nullable(), p95: z.number().nullable(), p99: z.number().nullable() });

const Counts = z.object({
  requests: z.number().int(),
  redirects: z.number().int(),
  client_errors: z.number().int(),
  server_errors: z.number().int(),
  rate_limited: z.number().int(),
  latency_ms: Latency,
});

const Totals = Counts.extend({
  error_rate: z.number(),
  request_bytes: z.number().int(),
  response_bytes: z.number().int(),
});

export const UsageResponse = z.object({
  key_id: z.string(),
  from: z.iso.datetime(),
  to: z.iso.datetime(),
  bucket: z.enum(BUCKETS),
  timezone: z.string(),
  complete_until: z.iso.datetime().describe('buckets that end later may still grow'),
  filters: z.record(z.string(), z.string()).describe('the filters that were applied'),
  totals: Totals,
  previous: Totals.nullable().describe(
    'the same totals of the preceding period of equal length; null when filtered and its requests are gone',
  ),
  series: z.array(Counts.extend({ start: z.iso.datetime() })),
  endpoints: z.array(
    z.object({
      method: z.string(),
      route: z.string(),
      requests: z.number().int(),
      error_rate: z.number(),
      latency_ms: z.object({ p95: z.number().nullable() }),
      folded_paths: z.number().int().optional().describe('on (other): about how many paths were folded into it'),
    }),
  ),
  countries: z.array(z.object({ country: z.string(), requests: z.number().int(), error_rate: z.number() })),
  statuses: z.array(z.object({ status: z.number().int(), requests: z.number().int() })),
});

export const KeyStatusSchema = z.enum(['active', 'inactive', 'expired', 'discovered', 'deleted']);

const Limit = z.number().int().positive().nullable();

export const LimitsSchema = z.object({
  per_minute: Limit.default(null),
  per_day: Limit.default(null),
  per_month: Limit.default(null),
  burst: Limit.default(null),
});

/** Without defaults: they would fill in what was left out, also behind `partial()`. */
const LimitsChange = z.object({ per_minute: Limit, per_day: Limit, per_month: Limit, burst: Limit }).partial();

export const KeyResponse = z.object({
  key_id: z.string(),
  organization_id: z.string(),
  customer_id: z.string(),
  name: z.string(),
  description: z.string(),
  prefix: z.string(),
  kind: z.string(),
  environment: z.string(),
  scopes: z.array(z.string()),
  permissions: z.unknown().describe('as given, null when unknown'),
  plan: z.string(),
  limits: LimitsSchema.describe("those that hold: the key's own, else those of its plan"),
  utilization: z
    .object({
      per_minute: z.number().nullable(),
      per_day: z.number().nullable(),
      per_month: z.number().nullable(),
      forecast: z
        .object({ per_day: z.iso.datetime().nullable(), per_month: z.iso.datetime().nullable() })
        .describe(
          'when the limit will be reached at the pace of this window; null = not in this window, or too early to say',
        ),
    })
    .nullable()
    .describe('share of each limit in its present UTC window, above 1 when overrun; null without limits'),
  rate_limit: z
    .object({
      at: z.iso.datetime(),
      limit: z.number().int(),
      remaining: z.number().int(),
      reset_at: z.iso.datetime().nullable(),
      window_seconds: z.number().int().nullable(),
      used_share: z.number(),
    })
    .nullable()
    .describe("the platform's own limit as the headers of the newest answer told it; null where they tell none"),
  owner: z.object({ name: z.string(), email: z.string() }),
  created_at: z.iso.datetime().nullable(),
  expires_at: z.iso.datetime().nullable(),
  rotated_at: z.iso.datetime().nullable(),
  successor_key_id: z.string(),
  status: KeyStatusSchema,
  status_reason: z.string(),
  status_changed_at: z.iso.datetime().nullable(),
  leaked_at: z.iso.datetime().nullable(),
  version: z.number().int(),
  tracking_since: z.iso.datetime().nullable(),
  last_used: z
    .object({
      at: z.iso.datetime(),
      country: z.string(),
      method: z.string(),
      route: z.string(),
      status: z.number().int(),
    })
    .nullable(),
  total_requests: z.number().int(),
  requests_30d: z.number().int(),
  error_rate_30d: z.number(),
});

/** A time as it is stored: UTC with milliseconds, whatever offset it came with. */
export const UtcTime = z.iso
  .datetime({ offset: true })
  .refine((value) => !Number.isNaN(Date.parse(value)) && Date.parse(value) > 0, 'must be a time after 1970')
  .transform((value) => new Date(value).toISOString());

export const Sha256 = z
  .string()
  .regex(/^[0-9a-fA-F]{64}$/, 'must be 64 hexadecimal digits')
  .transform((value) => value.toLowerCase());

const MAX_PERMISSIONS_CHARS = 10_000;

/** Largest text of a registry field. */
const name = (max: number) => z.string().max(max);

export const KeyBody = z.strictObject({
  organization_id: name(200).optional(),
  customer_id: name(200).optional(),
  name: name(200).optional(),
  description: name(2000).optional(),
  prefix: name(32).optional(),
  sha256: Sha256.optional(),
  kind: z.enum(['service', 'organization', 'personal']).optional(),
  environment: z.enum(['production', 'staging', 'development']).optional(),
  scopes: z.array(name(100)).max(100).optional(),
  permissions: z
    .unknown()
    .refine((value) => JSON.stringify(value ?? null).length <= MAX_PERMISSIONS_CHARS, {
      message: `must be at most ${MAX_PERMISSIONS_CHARS} characters of JSON`,
    })
    .optional()
    .describe('any JSON, kept as given'),
  plan: name(100).optional(),
  limits: LimitsChange.optional().describe('one left out stays as it is; null: none of its own'),
  owner: z
    .strictObject({ name: name(200), email: name(320) })
    .partial()
    .optional(),
  created_at: UtcTime.optional(),
  expires_at: UtcTime.nullable().optional(),
  rotated_at: UtcTime.nullable().optional(),
  successor_key_id: name(200).optional(),
});

export const RequestResponse = z.object({
  data: z.array(
    z.object({
      timestamp: z.iso.datetime(),
      key_id: z.string(),
      method: z.string(),
      route: z.string(),
      path: z.string(),
      status: z.number().int(),
      latency_ms: z.number().nullable(),
      request_bytes: z.number().int(),
      response_bytes: z.number().int(),
      ip: z.string(),
      country: z.string(),
      user_agent: z.string(),
      request_id: z.string(),
      service: z.string(),
      environment: z.string(),
      rate_limited: z.boolean(),
      error: z.string(),
    }),
  ),
  next_cursor: z.string().nullable(),
});

export const time_ms = time;
