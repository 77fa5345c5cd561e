import { promisify } from 'node:util';
import { brotliCompress, constants } from 'node:zlib';
import { retryAfterMs } from './retry-after.ts';
import type { HttpAnswer, HttpConnection } from './sender-http.ts';
import type { SenderSettings } from './sender-options.ts';

/** What became of one request. */
export type Outcome =
  /** Stored, but for `rejected` records. */
  | { kind: 'stored'; rejected: number; message: string }
  /** Worth repeating; `afterMs` when the server said when. */
  | { kind: 'retry'; status: number | undefined; message: string; afterMs: number | undefined; cause?: unknown }
  | { kind: 'too-large' }
  /** Repeating would not help. */
  | { kind: 'refused'; status: number; message: string };

/** A wait the server asks for is honoured up to here. */
const MAX_RETRY_AFTER_MS = 600_000;
const MAX_MESSAGE = 300;

const brotli = promisify(brotliCompress);
/** Of 256 KB: lines repeat what stood a few hundred lines before, and a larger window is memory of the host. */
const WINDOW_BITS = 18;

/**
 * Compresses a body in Node's thread pool, as `content-encoding: br`. Brotli at its quality 1 takes less than half of what gzip takes at level 1 and makes
 * lines this alike a fifth smaller (docs/benchmarks.md, SDK); the next qualities take much longer and save little.
 */
export function compress(body: Buffer): Promise<Buffer> {
  const { BROTLI_PARAM_QUALITY, BROTLI_PARAM_LGWIN, BROTLI_PARAM_SIZE_HINT } = constants;
  const params = {
    [BROTLI_PARAM_QUALITY]: 1,
    [BROTLI_PARAM_LGWIN]: WINDOW_BITS,
    [BROTLI_PARAM_SIZE_HINT]: body.length,
  };
  return brotli(body, { params });
}

/** Sends one body once. Never throws. */
export async function post(
  connection: HttpConnection,
  settings: SenderSettings,
  body: Buffer,
  idempotencyKey: string,
  abort: AbortSignal,
): Promise<Outcome> {
  const headers = {
    authorization: `Bearer ${settings.token}`,
    'content-type': 'application/x-ndjson',
    'content-encoding': 'br',
    'idempotency-key': idempotencyKey,
    'user-agent': 'keytally-sender',
  };
  try {
    return outcomeOf(await connection.post(headers, body, settings.timeoutMs, abort));
  } catch (cause) {
    // A host with several addresses fails with one error for each and an empty message of its own.
    const { message, code } = cause as NodeJS.ErrnoException;
    const reason = `${new URL(settings.url).host} cannot be reached: ${message || code || cause}`;
    return { kind: 'retry', status: undefined, message: reason, afterMs: undefined, cause };
  }
}

function outcomeOf({ status, statusText, retryAfter, text }: HttpAnswer): Outcome {
  const answer = parsed(text);
  const message = `${status} ${reasonIn(answer) || statusText}`.trim().slice(0, MAX_MESSAGE);
  if (status >= 200 && status < 300) {
    const rejected = typeof answer.rejected === 'number' && answer.rejected >= 0 ? answer.rejected : 0;
    return { kind: 'stored', rejected, message: reasonIn(answer) };
  }
  if (status === 413) return { kind: 'too-large' };
  if (status === 408 || status === 425 || status === 429 || status >= 500) {
    return { kind: 'retry', status, message, afterMs: retryAfterMs(retryAfter, Date.now(), MAX_RETRY_AFTER_MS) };
  }
  return { kind: 'refused', status, message };
}

function parsed(text: string): Record<string, unknown> {
  try {
    const answer: unknown = JSON.parse(text);
    return typeof answer === 'object' && answer !== null ? (answer as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

/** The first rejected record says more than the title of the problem. */
function reasonIn(answer: Record<string, unknown>): string {
  const first = Array.isArray(answer.errors) ? (answer.errors[0] as Record<string, unknown> | undefined) : undefined;
  if (first) return `record ${first.index}: ${first.field} ${first.message}`.slice(0, MAX_MESSAGE);
  return [answer.title, answer.detail].filter((part) => typeof part === 'string').join(': ');
}
