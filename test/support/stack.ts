import { join } from 'node:path';
import { type PartName, type Running, startParts } from '../../api/parts.ts';
import { type Config, parseConfig } from '../../ingest/config.ts';
import { createLogger } from '../../ingest/logger.ts';
import { openBatchQueue } from '../../ingest/queue.ts';
import { connectRedis } from '../../ingest/redis.ts';
import { sha256 } from '../../ingest/token.ts';
import type { Store } from '../../workers/clickhouse/store.ts';
import { startFromTemplate } from './start-from-template.ts';
import { tempFolder } from './temp-folder.ts';

export const ADMIN_TOKEN = `kt_${sha256('test administrator').slice(0, 40)}`;

/** The whole program in this process: its own Redis, the embedded engine, real HTTP on a free port. */
export interface Stack extends Running {
  store: Store;
  /** A request as the administrator, or with another token ('' = none). */
  call(path: string, options?: CallOptions): Promise<Answer>;
  /** Posts records; fails unless they were taken. */
  send(
    records: readonly object[],
    options?: CallOptions,
  ): Promise<{ batch_id: string; accepted: number; rejected: number }>;
  /** Makes a token. */
  token(request: object): Promise<string>;
  /** Waits until `requests` holds this many rows and every table that counts them is written. */
  untilCounted(rows: number): Promise<void>;
  /** Waits until a key's total is this, and every other table is written. */
  untilTotal(keyId: string, requests: number): Promise<void>;
}

export interface CallOptions {
  method?: string;
  token?: string;
  body?: string | Buffer | object;
  headers?: Record<string, string>;
}

export interface Answer {
  status: number;
  headers: Headers;
  text: string;
  // biome-ignore lint/suspicious/noExplicitAny: answers are compared, not used as types.
  json: any;
}

export function testConfig(env: Record<string, string> = {}): Config {
  return parseConfig({
    PORT: '0',
    KEYTALLY_DATA_DIR: tempFolder(),
    KEYTALLY_ADMIN_TOKEN: ADMIN_TOKEN,
    LOG_LEVEL: 'error',
    INGEST_LINGER_MS: '20',
    // A thread runs the compiled program; what starts parts as processes has it.
    INGEST_THREADS: '0',
    WORKER_THREADS: '0',
    API_REQUESTS_PER_MINUTE: '1000000',
    ...env,
  });
}

export async function startStack(
  env: Record<string, string> = {},
  parts: readonly PartName[] = ['collector', 'worker', 'api'],
): Promise<Stack> {
  const config = testConfig(env);
  // A folder that the caller chose may hold something, and what it holds is the test.
  if (!env.KEYTALLY_DATA_DIR && !env.CLICKHOUSE_URL && !env.CLICKHOUSE_DATABASE) {
    startFromTemplate(join(config.KEYTALLY_DATA_DIR, 'clickhouse'));
  }
  const running = await startParts(parts, config, createLogger(config, 'test'), (error) => {
    throw error;
  });
  const call = (path: string, options: CallOptions = {}) => httpCall(running.url + path, options);
  return {
    ...running,
    store: running.store!,
    call,
    send: async (records, options = {}) => {
      const answer = await call('/v1/requests', { method: 'POST', body: records, ...options });
      if (answer.status !== 202) throw new Error(`records were refused: ${answer.status} ${answer.text}`);
      return answer.json;
    },
    token: async (request) => tokenIn(await call('/v1/tokens', { method: 'POST', body: request })),
    untilCounted: async (rows) => {
      await untilCounted(running.store!, rows);
      await untilWritten(running);
    },
    untilTotal: async (keyId, requests) => {
      await until(
        () => totalOf(running.store!, keyId),
        (total) => total === requests,
        `requests of ${keyId} (${requests} expected)`,
      );
      await untilWritten(running);
    },
  };
}

/** The token that an answer gives. Without one, calls meant to be made with it would be the administrator's. */
export function tokenIn({ status, text, json }: Answer): string {
  if (typeof json?.token !== 'string') throw new Error(`no token was given: ${status} ${text}`);
  return json.token;
}

/** @param options `token`: '' = none, left out = the administrator's */
export async function httpCall(url: string, options: CallOptions): Promise<Answer> {
  const { method = 'GET', token = ADMIN_TOKEN, body, headers } = options;
  if ('token' in options && options.token === undefined) throw new Error(`a call without its token: ${method} ${url}`);
  const plain = typeof body === 'object' && !Buffer.isBuffer(body);
  const response = await fetch(url, {
    method,
    headers: {
      ...(token === '' ? {} : { Authorization: `Bearer ${token}` }),
      ...(plain ? { 'Content-Type': 'application/json' } : {}),
      ...headers,
    },
    ...(body === undefined ? {} : { body: plain ? JSON.stringify(body) : (body as string) }),
  });
  const text = await response.text();
  const isJson = /[/+]json/.test(response.headers.get('content-type') ?? '') && text !== '';
  return { status: response.status, headers: response.headers, text, json: isJson ? JSON.parse(text) : undefined };
}

const POLL_MS = 100;
const TIMEOUT_MS = 90_000;

async function until<T>(read: () => Promise<T>, isEnough: (value: T) => boolean, what: string): Promise<void> {
  const startedAt = Date.now();
  for (;;) {
    const value = await read();
    if (isEnough(value)) return;
    if (Date.now() - startedAt > TIMEOUT_MS) throw new Error(`${value} ${what} after ${TIMEOUT_MS} ms`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

async function untilCounted(store: Store, rows: number): Promise<void> {
  const read = async () => (await store.query<{ n: number }>('SELECT count() AS n FROM requests'))[0]!.n;
  await until(read, (counted) => counted >= rows, `of ${rows} rows`);
}

/** As the api answers it, for a tenth of what an answer costs the machine on which other tests run. */
async function totalOf(store: Store, keyId: string): Promise<number> {
  const [row] = await store.query<{ total: number }>(
    'SELECT sum(requests) AS total FROM key_totals WHERE key_id = {key_id:String}',
    { key_id: keyId },
  );
  return row!.total;
}

/**
 * Waits until no batch is in work. A statement writes one table after another, so that for some milliseconds (for
 * seconds on a busy machine) a request is in one table and not yet in the next; its job ends after the last.
 */
async function untilWritten({ redisUrl, config }: Running): Promise<void> {
  const redis = await connectRedis(redisUrl, 'worker', () => {});
  const queues = Array.from({ length: config.INGEST_SHARDS }, (_, shard) => openBatchQueue(redis, shard));
  const active = async () =>
    (await Promise.all(queues.map((queue) => queue.getActiveCount()))).reduce((a, b) => a + b, 0);
  try {
    await until(active, (jobs) => jobs === 0, 'batches in work');
  } finally {
    await redis.quit();
  }
}
