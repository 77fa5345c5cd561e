import type { RecordInput } from './record.ts';

/** What a sender is told once, at its creation. Only `url` and `token` are required. */
export interface SenderOptions {
  /** Address of Keytally, such as `https://keytally.example.com`. */
  url: string;
  /** Token with scope `ingest`. */
  token: string;
  /** Name of the service and environment, put on every record that names none. */
  service?: string;
  environment?: string;
  /** Hash raw keys here, so that they never leave this process. Default: true. */
  keyHash?: boolean;
  /** Most records held, those on their way included. New ones beyond it are dropped and counted. Default: 50,000. */
  maxRecords?: number;
  /** The same in bytes of JSON. Default: 32 MiB. */
  maxBytes?: number;
  /** Records that are sent at once, without waiting for the interval. Default: 5,000. */
  flushRecords?: number;
  /** Longest time a record waits before it is sent. Default: 1 second. */
  flushIntervalMs?: number;
  /** Most records in one request, when records have piled up. Default: 5,000. */
  batchRecords?: number;
  /** Requests under way at the same time. Default: 2. */
  concurrency?: number;
  /** Time for one request, answer included. Default: 10 seconds. */
  timeoutMs?: number;
  /** First pause before a repeat; it doubles up to 30 seconds. Default: 250 ms. */
  retryBaseMs?: number;
  /** A batch is given up after this long. Must stay below the 24 hours Keytally remembers a batch. Default: 6 hours. */
  retryForMs?: number;
  /** Time that `flush()`, `close()` and the end of the process wait for what is still held. Default: 5 seconds. */
  drainTimeoutMs?: number;
  /** Told about every loss and its reason; the counters count it as well. Whatever it throws is ignored. */
  onError?: (error: SenderError) => void;
}

export type SenderSettings = Required<Omit<SenderOptions, 'service' | 'environment' | 'onError'>> &
  Pick<SenderOptions, 'service' | 'environment' | 'onError'>;

/** Something was lost or refused: what, how many records of it, and the HTTP status where there was one. */
export class SenderError extends Error {
  override readonly name = 'SenderError';
  readonly records: number;
  readonly status: number | undefined;
  constructor(message: string, records: number, status?: number, cause?: unknown) {
    super(message, { cause });
    this.records = records;
    this.status = status;
  }
}

/** Counters since the sender was created: `recorded` = `sent` + all of `dropped` + `pending`. */
export interface SenderStats {
  /** Calls of `record()`. */
  recorded: number;
  /** Accepted by Keytally. */
  sent: number;
  dropped: {
    /** The sender was full. */
    overflow: number;
    /** Not valid, or refused by Keytally: a bad record, a bad token, a wrong address. */
    rejected: number;
    /** Keytally could not be reached for too long, or not before the end of the process. */
    failed: number;
    /** Recorded after `close()`. */
    closed: number;
  };
  /** Waiting or on its way. */
  pending: number;
  /** Requests repeated. */
  retries: number;
}

/** Sends records in batches, in the background. No method throws or rejects. */
export interface Sender {
  /** Takes one record and writes it down at once: the object is yours again. Costs about a microsecond. */
  record(record: RecordInput): void;
  /** Sends what is held now; resolves when all of it is settled, or after `drainTimeoutMs`. */
  flush(): Promise<void>;
  /** Takes no more records, sends what is held for up to `drainTimeoutMs`, and counts the rest as failed. */
  close(): Promise<void>;
  stats(): SenderStats;
}

const DEFAULTS = {
  keyHash: true,
  maxRecords: 50_000,
  maxBytes: 32 * 2 ** 20,
  flushRecords: 5_000,
  flushIntervalMs: 1_000,
  batchRecords: 5_000,
  concurrency: 2,
  timeoutMs: 10_000,
  retryBaseMs: 250,
  retryForMs: 6 * 3_600_000,
  drainTimeoutMs: 5_000,
};

/**
 * Completes and checks the options. The one place that throws: a wrong setting is found when the host starts.
 * @throws TypeError naming the option
 */
export function settingsOf(options: SenderOptions): SenderSettings {
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
  const settings = { ...DEFAULTS, ...given } as SenderSettings;
  if (typeof options.token !== 'string' || !/^[\x21-\x7e]+$/.test(options.token)) {
    throw new TypeError('keytally: token is required');
  }
  for (const name of Object.keys(DEFAULTS) as (keyof typeof DEFAULTS)[]) {
    const value = settings[name];
    if (name !== 'keyHash' && !(typeof value === 'number' && value > 0)) {
      throw new TypeError(`keytally: ${name} must be a positive number`);
    }
  }
  return { ...settings, url: endpointOf(options.url) };
}

function endpointOf(url: string): string {
  let parsed: URL;
  try {
    parsed = new URL(url);
  } catch {
    throw new TypeError('keytally: url must be an address such as https://keytally.example.com');
  }
  if (!/^https?:$/.test(parsed.protocol)) throw new TypeError('keytally: url must begin with http:// or https://');
  if (!parsed.pathname.endsWith('/v1/requests')) {
    parsed.pathname = `${parsed.pathname.replace(/\/+$/, '')}/v1/requests`;
  }
  return parsed.href;
}
