import { z } from 'zod';
import { ALERT_KINDS, type AlertKind } from '../alert.ts';
import { isCountryCode, withUpperCaseCountries } from './country-codes.ts';

/** What of a key's answers an error alert speaks of; each is an alert of its own. */
export const ERROR_SCOPES = ['server_errors', 'client_errors', 'refused', 'rate_limited'] as const;
export type ErrorScope = (typeof ERROR_SCOPES)[number];

const share = z.number().gt(0).max(1);
const times = z.number().min(1).max(1_000);

const ErrorRate = z.strictObject({
  min_ratio: share.default(0.05).describe('5xx below this share of requests never alert'),
  min_client_ratio: share.default(0.2).describe('the same for 4xx, 401 and 403, and 429'),
  times_usual: times.default(3).describe('how many times the usual ratio'),
  min_errors: z.number().int().min(1).max(1_000_000).default(5),
  critical_ratio: share.default(0.5).describe('5xx from this share on are critical'),
  scopes: z
    .array(z.enum(ERROR_SCOPES))
    .default([...ERROR_SCOPES])
    .describe('5xx; 4xx; 401 and 403; 429'),
});

const TrafficAnomaly = z.strictObject({
  spike: z.boolean().default(true),
  drop: z.boolean().default(true),
  silence: z.boolean().default(true),
  threshold_factor: z.number().min(0.5).max(10).default(1).describe('1 = as measured, 2 = twice as strange'),
  min_requests: z.number().int().min(1).max(1_000_000).default(20).describe('fewer, seen or expected, never alert'),
});

const Latency = z.strictObject({
  times_slower: z.number().min(1.1).max(100).default(2),
  min_requests: z.number().int().min(10).max(1_000_000).default(50),
});

const NewCountry = z.strictObject({
  min_requests: z.number().int().min(1).max(1_000_000).default(5),
  // What is no country is refused where a rule is given: a rule that was stored before must stay readable.
  expected_countries: z.array(z.string().length(2).toUpperCase()).max(300).default([]).describe('never an alert'),
});

const CountryMix = z.strictObject({
  min_distance: z.number().min(0.1).max(1).default(0.3),
  min_requests: z.number().int().min(50).max(1_000_000).default(200),
});

const LIMIT_PERIODS = ['burst', 'minute', 'day', 'month'] as const;

const NearLimit = z.strictObject({
  steps_percent: z
    .array(z.number().int().min(1).max(1_000))
    .min(1)
    .max(10)
    .default([80, 90, 100])
    .transform((steps) => [...new Set(steps)].sort((a, b) => a - b)),
  periods: z.array(z.enum(LIMIT_PERIODS)).default([...LIMIT_PERIODS]),
});

const Platform = z.strictObject({
  min_keys: z.number().int().min(2).max(1_000_000).default(5),
  min_share: share.default(0.01).describe('share of the active keys that fire together'),
});

const Nothing = z.strictObject({});

/** Settings of each kind, with the defaults that hold without any rule. */
export const SETTINGS = {
  error_rate: ErrorRate,
  traffic_anomaly: TrafficAnomaly,
  latency: Latency,
  new_country: NewCountry,
  country_mix: CountryMix,
  near_limit: NearLimit,
  key_expiring: Nothing,
  key_expired: Nothing,
  key_deactivated: Nothing,
  key_unused: Nothing,
  rotation_due: Nothing,
  key_leaked: Nothing,
  platform: Platform,
} as const satisfies Record<AlertKind, z.ZodType>;

export type SettingsOf<Kind extends AlertKind> = z.infer<(typeof SETTINGS)[Kind]>;

/** The built-in settings of a kind. */
export function defaultSettings<Kind extends AlertKind>(kind: Kind): SettingsOf<Kind> {
  return SETTINGS[kind].parse({}) as SettingsOf<Kind>;
}

const severity = z.enum(['info', 'warning', 'critical']);
const minutes = (max: number) => z.number().int().min(0).max(max).nullable().default(null);
/** States are looked for so far back, so quiet cannot last longer. */
const MAX_QUIET_MINUTES = 7 * 1_440;

const QUIET =
  'not announced again within this time; null = a day, near_limit per minute and second an hour, per day and month and about keys at once';
const REPEAT =
  'an open alert is told again; 0 = never, null = daily, critical every 4 h, key_leaked every 4 h, near_limit and others about keys never';

const RuleShape = z.strictObject({
  name: z.string().trim().min(1).max(200),
  kind: z.enum(ALERT_KINDS),
  enabled: z.boolean().default(true),
  organization_id: z.string().max(200).default('').describe('empty = every organization'),
  environment: z.enum(['', 'production', 'staging', 'development']).default('').describe('empty = every environment'),
  plan: z.string().max(100).default('').describe('empty = every plan'),
  key_id: z.string().max(200).default('').describe('empty = every key'),
  severity: severity.nullable().default(null).describe('null = as the kind decides'),
  quiet_minutes: minutes(MAX_QUIET_MINUTES).describe(QUIET),
  repeat_minutes: minutes(43_200).describe(REPEAT),
  settings: z
    .record(z.string(), z.unknown())
    .overwrite(withUpperCaseCountries)
    .default({})
    .describe('thresholds of the kind; left out = the default'),
});

type Scope = 'organization_id' | 'environment' | 'plan' | 'key_id';
type Checked = Pick<z.infer<typeof RuleShape>, 'kind' | 'settings'> & Partial<Record<Scope, string | undefined>>;

function checkRule(rule: Checked, context: z.core.$RefinementCtx): void {
  const parsed = SETTINGS[rule.kind].safeParse(rule.settings);
  for (const { path, message } of parsed.error?.issues ?? [])
    context.addIssue({ code: 'custom', path: ['settings', ...path], message });
  for (const path of unknownCountries(rule))
    context.addIssue({ code: 'custom', path, message: 'is not a country: give codes of ISO 3166-1 alpha-2, as SE' });
  if (rule.kind === 'platform' && (rule.organization_id || rule.environment || rule.plan || rule.key_id)) {
    context.addIssue({ code: 'custom', path: ['kind'], message: PLATFORM_SCOPE });
  }
}

function unknownCountries({ kind, settings }: Checked): PropertyKey[][] {
  const countries = kind === 'new_country' ? settings.expected_countries : undefined;
  if (!Array.isArray(countries)) return [];
  return countries.flatMap((code: unknown, at) =>
    typeof code === 'string' && code.length === 2 && !isCountryCode(code)
      ? [['settings', 'expected_countries', at]]
      : [],
  );
}

const PLATFORM_SCOPE = 'a platform rule is for everything: leave its scope empty';

/** A rule as it is given by API or file. */
export const RuleBody = RuleShape.superRefine(checkRule);

/** A rule that replaces another. */
export const RuleChange = z
  .strictObject({
    ...RuleShape.shape,
    organization_id: z.string().max(200).optional().describe('empty = every organization; left out = as it is'),
  })
  .superRefine(checkRule);

export type RuleFields = z.infer<typeof RuleBody>;
