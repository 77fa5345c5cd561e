/**
 * What a platform itself says about its limit in the headers of an answer: the legacy family `X-RateLimit-Limit/Remaining/Reset`
 * (Kong adds a window: `X-RateLimit-Limit-Minute`), `RateLimit-*` without X, and the IETF draft's `RateLimit` and `RateLimit-Policy`
 * (draft-ietf-httpapi-ratelimit-headers: `"default";r=50;t=30`, `"default";q=100;w=60`).
 */

/** Part of a record on the wire. */
export interface RateLimitInput {
  /** Requests allowed in the window. */
  limit: number;
  /** Of these, still left after this request. */
  remaining: number;
  /** When the window ends, epoch milliseconds; absent = not said. */
  reset_at?: number;
  /** Length of the window; absent = not said. */
  window_seconds?: number;
}

const WINDOW_SECONDS: Readonly<Record<string, number>> = {
  second: 1,
  minute: 60,
  hour: 3_600,
  day: 86_400,
  month: 2_592_000,
};
const LEGACY = /^(?:x-)?rate-?limit-(limit|remaining|reset)(?:-(second|minute|hour|day|month))?$/;
/** Longer header values are no number and no policy. */
const MAX_LENGTH = 200;
/** Smaller values of a reset are seconds from now, larger ones seconds since the epoch, and these milliseconds. */
const EPOCH_SECONDS_MIN = 1e9;
const EPOCH_MS_MIN = 1e12;

/** What a record may say at most. */
export const MAX_LIMIT = 1_000_000_000_000;
/** The year 2100: a reset later than that is a wrong unit. */
export const MAX_RESET_MS = 4_102_444_800_000;
/** A leap year. */
export const MAX_WINDOW_SECONDS = 31_622_400;

interface Found {
  limit?: number;
  remaining?: number;
  reset?: number;
}

/**
 * The limit nearest to being reached among those the headers name; undefined when there is none.
 * @param prefix in front of every header name, lower case, as loggers write it (`downstream_`)
 * @param atMs time of the request, for resets given as seconds from now; undefined = not known, then these are left out
 */
export function rateLimitIn(
  headers: Readonly<Record<string, unknown>>,
  atMs: number | undefined,
  prefix = '',
): RateLimitInput | undefined {
  let legacy: Map<string, Found> | undefined;
  let draft: Found & { window?: number } = {};
  for (const key in headers) {
    if (!mayBeRateLimit(key, prefix.length)) continue;
    const name = key.toLowerCase();
    if (!name.startsWith(prefix)) continue;
    const text = textOf(headers[key]);
    if (text === '') continue;
    const match = LEGACY.exec(name.slice(prefix.length));
    if (match) {
      legacy ??= new Map();
      const found = legacy.get(match[2] ?? '') ?? {};
      found[match[1] as keyof Found] = leadingNumber(text);
      legacy.set(match[2] ?? '', found);
    } else if (name.length - prefix.length === 'ratelimit'.length) {
      draft = { ...draft, remaining: parameter(text, 'r'), reset: parameter(text, 't') };
    } else if (name.endsWith('ratelimit-policy')) {
      draft = { ...draft, limit: parameter(text, 'q'), window: parameter(text, 'w') };
    }
  }
  const all = [...(legacy ?? [])].map(([window, found]) => complete(found, WINDOW_SECONDS[window], atMs));
  all.push(complete(draft, draft.window, atMs));
  return tightest(all.filter((one) => one !== undefined));
}

/** Almost every header ends here: cheap, and no allocation. */
function mayBeRateLimit(key: string, at: number): boolean {
  if (key.length < at + 9) return false;
  const first = key.charCodeAt(at) | 32;
  // r(atelimit), x(-ratelimit)
  return first === 114 || first === 120;
}

function textOf(value: unknown): string {
  const first = Array.isArray(value) ? value[0] : value;
  const text = typeof first === 'number' ? String(first) : first;
  return typeof text === 'string' && text.length <= MAX_LENGTH ? text : '';
}

/** `100, 100;w=60` means 100; undefined when the text does not begin with a number. */
function leadingNumber(text: string): number | undefined {
  const digits = /^\s*(\d{1,13})(?!\d)/.exec(text)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

function parameter(text: string, name: string): number | undefined {
  const digits = new RegExp(`;\\s*${name}=(\\d{1,13})(?!\\d)`).exec(text)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

function complete(
  found: Found,
  windowSeconds: number | undefined,
  atMs: number | undefined,
): RateLimitInput | undefined {
  const { limit, remaining, reset } = found;
  if (!limit || limit > MAX_LIMIT || remaining === undefined || remaining > MAX_LIMIT) return undefined;
  const endsAt = reset === undefined ? undefined : resetAt(reset, atMs);
  return {
    limit,
    remaining,
    ...(endsAt === undefined || endsAt > MAX_RESET_MS ? {} : { reset_at: endsAt }),
    ...(windowSeconds && windowSeconds <= MAX_WINDOW_SECONDS ? { window_seconds: windowSeconds } : {}),
  };
}

function resetAt(reset: number, atMs: number | undefined): number | undefined {
  if (reset >= EPOCH_MS_MIN) return reset;
  if (reset >= EPOCH_SECONDS_MIN) return reset * 1000;
  return atMs === undefined ? undefined : atMs + reset * 1000;
}

/** Of the same limit in both families, the one that also says its window. */
function tightest(limits: readonly RateLimitInput[]): RateLimitInput | undefined {
  const share = (one: RateLimitInput) => one.remaining / one.limit;
  return [...limits].sort((a, b) => share(a) - share(b) || (b.window_seconds ?? 0) - (a.window_seconds ?? 0))[0];
}
