import { createPrivateKey, createPublicKey } from 'node:crypto';
import ipaddr from 'ipaddr.js';
import { z } from 'zod';
import { ConfigError } from './config-error.ts';
import { parseRedisUrl } from './redis-address.ts';

/** Most queues of batches. */
export const MAX_SHARDS = 64;

const count = (fallback: number, min: number, max: number) =>
  z.coerce.number().int().min(min).max(max).default(fallback);
const url = (...protocols: string[]) =>
  z
    .string()
    .refine((value) => URL.canParse(value) && protocols.includes(new URL(value).protocol), {
      message: `must be a URL starting with ${protocols.map((p) => `${p}//`).join(' or ')}`,
    })
    .optional();
/** The parser of the connection decides, and says what is wrong. */
const redisUrl = z.string().superRefine((value, context) => {
  try {
    parseRedisUrl(value);
  } catch (error) {
    context.addIssue({ code: 'custom', message: (error as Error).message });
  }
});
/** A cron expression; node-cron checks it again when the schedule starts. */
const cron = (fallback: string) =>
  z
    .string()
    .default(fallback)
    .refine((value) => /^(\S+\s+){4,5}\S+$/.test(value.trim()), 'must be a cron expression of 5 or 6 fields');
/** The document in which GitHub publishes its secret scanning keys; an unusable key is named at the start, not at the first leak. */
function isLeakKeys(json: string): boolean {
  try {
    const { public_keys: keys } = JSON.parse(json) as { public_keys: { key_identifier: unknown; key: string }[] };
    return keys.every(
      ({ key_identifier: id, key }) =>
        typeof id === 'string' && createPublicKey(key).asymmetricKeyDetails?.namedCurve === 'prime256v1',
    );
  } catch {
    return false;
  }
}

const list = z
  .string()
  .default('')
  .transform((value) =>
    value
      .split(',')
      .map((part) => part.trim())
      .filter((part) => part !== ''),
  );

/** One or two keys of 32 bytes in base64, newest first: two while one replaces the other. */
function isSecretKeys(value: string): boolean {
  const keys = value.split(',').map((part) => part.trim());
  return keys.length <= 2 && keys.every((key) => /^[A-Za-z0-9+/]{43}=?$/.test(key));
}

/** An address or a CIDR range. IPv4 in four parts only: elsewhere `10/8` means 0.0.0.10/8. */
function isRange(text: string): boolean {
  const [address = '', bits] = text.split('/');
  const isAddress = address.includes(':') ? ipaddr.isValid(address) : ipaddr.IPv4.isValidFourPartDecimal(address);
  return isAddress && (bits === undefined || ipaddr.isValidCIDR(text));
}

/** Of proxies: one of all addresses would believe every client, and Express refuses it. */
function isProxyRange(text: string): boolean {
  return isRange(text) && !/\/0+$/.test(text);
}

const RANGES_WANTED = 'must be addresses or ranges such as 10.20.0.0/16, separated by commas';

/** DKIM is signed with RSA here; a key of another kind would leave mails unsigned without a word. */
function isRsaPrivateKey(pem: string): boolean {
  try {
    return createPrivateKey(unescapeLines(pem)).asymmetricKeyType === 'rsa';
  } catch {
    return false;
  }
}

/** Compose files and service managers hand a PEM over with its line ends written as \\n. */
export const unescapeLines = (pem: string): string => pem.replaceAll('\\n', '\n');

const domain = z
  .string()
  .regex(/^[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+$/, 'must be a domain name')
  .optional();

/** Beyond it an age would pass the year 2106, where ClickHouse's 32-bit DateTime starts anew and drops every row. */
const MAX_RETENTION_DAYS = 25_000;

/**
 * Every environment variable of Keytally: name, range, default.
 * The configuration table of the README is checked against this schema by a test.
 */
export const EnvSchema = z.object({
  PORT: count(8080, 0, 65_535),
  HOST: z.string().min(1).default('127.0.0.1'),
  PUBLIC_URL: url('http:', 'https:'),
  KEYTALLY_DATA_DIR: z.string().min(1).default('./data'),
  KEYTALLY_ADMIN_TOKEN: z
    .string()
    .regex(/^kt_[A-Za-z0-9]{20,}$/, 'must be kt_ followed by at least 20 letters or digits')
    .optional(),
  REDIS_URL: redisUrl.optional(),
  REDIS_WAIT_REPLICAS: z.coerce.number().int().min(0).max(5).optional(),
  REDIS_MAX_MEMORY_BYTES: count(1_073_741_824, 67_108_864, 2 ** 46),
  CLICKHOUSE_URL: url('http:', 'https:'),
  CLICKHOUSE_USER: z.string().min(1).default('default'),
  CLICKHOUSE_PASSWORD: z.string().default(''),
  CLICKHOUSE_DATABASE: z
    .string()
    .regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'must be a plain identifier')
    .default('keytally'),
  CLICKHOUSE_TIMEOUT_MS: count(30_000, 1_000, 600_000),
  CLICKHOUSE_CLUSTER: z
    .string()
    .regex(/^[A-Za-z_][A-Za-z0-9_-]*$/, 'must be a plain identifier')
    .optional(),
  GEOIP_DB: z.string().min(1).optional(),
  IP_STORAGE: z.enum(['truncated', 'full', 'none']).default('truncated'),
  TRUSTED_PROXIES: list.refine((ranges) => ranges.every(isProxyRange), RANGES_WANTED),
  COUNTRY_HEADERS: list,
  CORS_ORIGINS: list,
  ACCEPT_PAST_DAYS: count(400, 1, 36_500),
  ACCEPT_FUTURE_MINUTES: count(60, 0, 1440),
  INGEST_LINGER_MS: count(250, 0, 250),
  INGEST_MAX_BODY_BYTES: count(16_777_216, 1024, 268_435_456),
  INGEST_MAX_RECORDS: count(50_000, 1, 50_000),
  INGEST_REQUESTS_PER_MINUTE: count(60_000, 1, 10_000_000),
  INGEST_SHARDS: count(1, 1, MAX_SHARDS),
  INGEST_THREADS: count(1, 0, 16),
  ROUTES_PER_KEY: count(200, 1, 10_000),
  KEY_SWEEP_CRON: cron('* * * * *'),
  KEY_POLICY_CRON: cron('*/5 * * * *'),
  KEY_LIST_CRON: cron('* * * * *'),
  KEY_LIST_LIVE_KEYS: count(50_000, 0, 100_000_000),
  INVARIANTS_CRON: cron('23 * * * *'),
  KEY_REMINDER_DAYS: z
    .string()
    .default('30,14,7,3,1,0,-1')
    .transform((value) => value.split(',').map((part) => (part.trim() === '' ? Number.NaN : Number(part))))
    .refine(
      (days) => days.length <= 20 && days.every((day) => Number.isInteger(day) && day >= -365 && day <= 365),
      'must be at most 20 whole numbers of days from -365 to 365, separated by commas',
    ),
  LEAK_PUBLIC_KEYS: z
    .string()
    .refine(isLeakKeys, 'must be the JSON {"public_keys":[{"key_identifier","key"}]} with ECDSA P-256 keys in PEM')
    .optional(),
  KEY_ROTATION_DAYS: count(90, 0, 3650),
  ALERTS_FILE: z.string().min(1).optional(),
  ALERT_EVALUATION_CRON: cron('* * * * *'),
  ALERT_LIMITS_CRON: cron('*/5 * * * * *'),
  ALERT_SETTLE_SECONDS: count(60, 0, 3_600),
  WORKER_CONCURRENCY: count(2, 1, 32),
  WORKER_THREADS: count(1, 0, 16),
  API_REQUESTS_PER_MINUTE: count(1200, 1, 10_000_000),
  RETENTION_REQUESTS_DAYS: count(30, 1, MAX_RETENTION_DAYS),
  RETENTION_MINUTE_DAYS: count(15, 1, MAX_RETENTION_DAYS),
  RETENTION_QUARTER_HOUR_DAYS: count(400, 1, MAX_RETENTION_DAYS),
  RETENTION_DAY_DAYS: count(1825, 1, MAX_RETENTION_DAYS),
  RETENTION_DELIVERIES_DAYS: count(90, 14, MAX_RETENTION_DAYS),
  RETENTION_KEY_EVENTS_DAYS: count(400, 60, MAX_RETENTION_DAYS),
  RETENTION_AUDIT_DAYS: count(1825, 60, MAX_RETENTION_DAYS),
  RETENTION_ALERTS_DAYS: count(400, 60, MAX_RETENTION_DAYS),
  DELIVERY_GROUP_WAIT_SECONDS: count(30, 0, 3600),
  DIGEST_HOUR: count(8, 0, 23),
  SMTP_URL: url('smtp:', 'smtps:'),
  MAIL_FROM: z
    .string()
    .regex(/^[^\p{Cc}<>]*<[^\s@<>]+@[^\s@<>]+>$|^[^\s@<>]+@[^\s@<>]+$/u, 'must be an address, or Name <address>')
    .optional(),
  DKIM_DOMAIN: domain,
  DKIM_SELECTOR: z
    .string()
    .regex(/^[A-Za-z0-9._-]{1,63}$/, 'must be a selector: letters, digits, dots, - and _')
    .optional(),
  DKIM_PRIVATE_KEY: z.string().refine(isRsaPrivateKey, 'must be an RSA private key in PEM').optional(),
  DKIM_PRIVATE_KEY_FILE: z.string().min(1).optional(),
  WEBHOOK_ALLOW_PRIVATE: list.refine((ranges) => ranges.every(isRange), RANGES_WANTED),
  KEYTALLY_SECRET_KEY: z
    .string()
    .refine(
      isSecretKeys,
      'must be 32 bytes in base64 (openssl rand -base64 32), or two of them, newest first, with a comma',
    )
    .optional(),
  AWS_ACCESS_KEY_ID: z.string().min(1).optional(),
  AWS_SECRET_ACCESS_KEY: z.string().min(1).optional(),
  AWS_SESSION_TOKEN: z.string().min(1).optional(),
  AWS_REGION: z
    .string()
    .regex(/^[a-z0-9-]{1,60}$/, 'must be the name of a region')
    .default('us-east-1'),
  AWS_ENDPOINT_URL: url('http:', 'https:'),
  AWS_ENDPOINT_URL_S3: url('http:', 'https:'),
  OTEL_EXPORTER_OTLP_ENDPOINT: url('http:', 'https:'),
  OTEL_SERVICE_NAME: z.string().min(1).max(200).default('keytally'),
  LOG_LEVEL: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).default('info'),
});

/** Settings of one process, parsed once at start. */
export type Config = z.infer<typeof EnvSchema>;

/** Variables whose value must never be shown back in an error. */
const SECRET = /PASSWORD|TOKEN|_URL$|SECRET|ACCESS_KEY|PRIVATE_KEY$/;

/**
 * Reads the settings from the environment. An empty variable counts as absent, as in a compose file.
 * @throws {ConfigError} naming every unusable variable and the reason, one per line
 */
export function parseConfig(env: Readonly<Record<string, string | undefined>>): Config {
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined && value !== ''));
  const parsed = EnvSchema.safeParse(given);
  if (parsed.success) return checkTogether(parsed.data);
  throw new ConfigError(parsed.error.issues.map((issue) => describe(issue, given)).join('\n'));
}

function describe(issue: z.core.$ZodIssue, given: Record<string, string | undefined>): string {
  const name = String(issue.path[0]);
  const shown = SECRET.test(name) ? '' : ` (got ${JSON.stringify(given[name])})`;
  return `${name}: ${issue.message}${shown}`;
}

function checkTogether(config: Config): Config {
  if (config.CLICKHOUSE_CLUSTER && !config.CLICKHOUSE_URL) {
    throw new ConfigError('CLICKHOUSE_CLUSTER: needs CLICKHOUSE_URL, the embedded engine has no cluster');
  }
  if (config.RETENTION_MINUTE_DAYS > config.RETENTION_REQUESTS_DAYS) {
    throw new ConfigError(
      'RETENTION_MINUTE_DAYS: must not exceed RETENTION_REQUESTS_DAYS, whose rows complete the edges of minute ranges',
    );
  }
  if (config.DKIM_PRIVATE_KEY && config.DKIM_PRIVATE_KEY_FILE) {
    throw new ConfigError('DKIM_PRIVATE_KEY_FILE: give the key by DKIM_PRIVATE_KEY or by file, not both');
  }
  const dkim = [config.DKIM_DOMAIN, config.DKIM_SELECTOR, config.DKIM_PRIVATE_KEY ?? config.DKIM_PRIVATE_KEY_FILE];
  if (dkim.some(Boolean) && !dkim.every(Boolean)) {
    throw new ConfigError(
      'DKIM_DOMAIN: needs DKIM_SELECTOR and DKIM_PRIVATE_KEY or DKIM_PRIVATE_KEY_FILE, and they need it',
    );
  }
  return config;
}
