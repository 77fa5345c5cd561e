import type { GatewayRequest } from './sender-request.ts';

/** What a guard is told once, at its creation. Only `url` and `token` are required. */
export interface GuardOptions {
  /** Address of Keytally, such as `https://keytally.example.com`. */
  url: string;
  /** Token with scope `read`; one bound to an organization holds the keys of that organization only. */
  token: string;
  /** Header that carries the raw key; `Bearer ` in front is dropped. Default: `x-api-key`. */
  header?: string;
  /** Id of the key, as your own authentication knows it. Where it returns one, it decides and no header is read. */
  keyId?: (req: GatewayRequest) => string | undefined;
  /** Most denied keys held. Those beyond it are let through, and `onError` is told. Default: 500,000. */
  maxKeys?: number;
  /** Time for one answer, on top of the 25 seconds that Keytally may wait for a change. Default: 10 seconds. */
  timeoutMs?: number;
  /** First pause after a failure; it doubles up to 5 seconds. Default: 250 ms. */
  retryBaseMs?: number;
  /** Told about every failure. Whatever it throws is ignored. */
  onError?: (error: GuardError) => void;
}

/** Options with their defaults; `url` is the address that is asked. */
export type GuardSettings = Required<Omit<GuardOptions, 'keyId' | 'onError'>> & Pick<GuardOptions, 'keyId' | 'onError'>;

/** The list of denied keys could not be read, or a request not be looked at; the request went through. */
export class GuardError extends Error {
  override readonly name = 'GuardError';
  /** HTTP status, where there was an answer. */
  readonly status: number | undefined;
  /** Wait that the server asked for. */
  readonly retryAfterMs: number;
  constructor(message: string, status?: number, cause?: unknown, retryAfterMs = 0) {
    super(message, { cause });
    this.status = status;
    this.retryAfterMs = retryAfterMs;
  }
}

/** What a guard knows and did since it was created. */
export interface GuardStats {
  /** Denied keys in the copy. */
  keys: number;
  /** When Keytally last confirmed the copy, in epoch milliseconds; null before the first copy. */
  confirmedAt: number | null;
  /** Requests refused. */
  refused: number;
  /** Failures, each told to `onError`. */
  errors: number;
}

const DEFAULTS = { header: 'x-api-key', maxKeys: 500_000, timeoutMs: 10_000, retryBaseMs: 250 };

/**
 * Completes and checks the options. The one place that throws: a wrong setting is found when the host starts.
 * @throws TypeError naming the option
 */
export function guardSettings(options: GuardOptions): GuardSettings {
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
  const settings = { ...DEFAULTS, ...given } as GuardSettings;
  if (typeof options.token !== 'string' || !/^[\x21-\x7e]+$/.test(options.token)) {
    throw new TypeError('keytallyGuard: token is required');
  }
  if (typeof settings.header !== 'string' || !/^[\w-]+$/.test(settings.header)) {
    throw new TypeError('keytallyGuard: header must be the name of a header');
  }
  for (const name of ['maxKeys', 'timeoutMs', 'retryBaseMs'] as const) {
    if (!(settings[name] > 0)) throw new TypeError(`keytallyGuard: ${name} must be a positive number`);
  }
  return { ...settings, header: settings.header.toLowerCase(), url: listAddress(options.url) };
}

function listAddress(url: string): string {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (!parsed || !/^https?:$/.test(parsed.protocol)) {
    throw new TypeError('keytallyGuard: url must be an address such as https://keytally.example.com');
  }
  parsed.pathname = `${parsed.pathname.replace(/\/+$/, '')}/v1/keys/denied`;
  parsed.search = '';
  parsed.hash = '';
  return parsed.href;
}
