import { setImmediate as turn } from 'node:timers/promises';
import { type GetAnswer, getOnce } from './guard-http.ts';
import { GuardError, type GuardSettings } from './guard-options.ts';
import { retryAfterMs } from './retry-after.ts';

/** Denied keys by id and by the SHA-256 of their secret (as 32 characters), each with its status. Never changed. */
export interface DeniedList {
  byId: ReadonlyMap<string, string>;
  byHash: ReadonlyMap<string, string>;
  /** Whether there were more than are held. */
  cut: boolean;
}

/** Seconds that Keytally holds a request until the list changes: shorter than the 30 of common proxies. */
const WAIT_SECONDS = 25;
/** A pause the server asks for is kept up to here. */
const MAX_RETRY_AFTER_MS = 60_000;
/** The host's event loop gets its turn after this many keys. */
const SLICE_KEYS = 2_000;

/** Reads the list of denied keys over HTTP, without naming any key. */
export class DeniedListReader {
  readonly #settings: GuardSettings;
  readonly #abort: AbortSignal;

  constructor(settings: GuardSettings, abort: AbortSignal) {
    this.#settings = settings;
    this.#abort = abort;
  }

  /**
   * Asks for the list that differs from the one with `etag`, and waits for it.
   * @returns undefined when it did not change
   * @throws GuardError
   */
  async next(etag: string | undefined): Promise<{ list: DeniedList; etag: string | undefined } | undefined> {
    const first = await this.#get(`?wait=${WAIT_SECONDS}`, etag);
    if (first.status === 304) return undefined;
    const byId = new Map<string, string>();
    const byHash = new Map<string, string>();
    let cursor = await this.#take(first, byId, byHash);
    while (cursor !== null && byId.size < this.#settings.maxKeys) {
      const before = byId.size;
      cursor = await this.#take(await this.#get(`?cursor=${encodeURIComponent(cursor)}`), byId, byHash);
      if (cursor !== null && byId.size === before)
        throw new GuardError('a page of the list of denied keys holds nothing new', 200);
    }
    // The tag of the first page is never newer than the pages: a change between them is read with the next answer.
    return { list: { byId, byHash, cut: cursor !== null }, etag: first.etag };
  }

  /** Adds the keys of one page. @returns cursor of the next page */
  async #take(answer: GetAnswer, byId: Map<string, string>, byHash: Map<string, string>): Promise<string | null> {
    const { data, next_cursor: cursor } = pageOf(answer);
    for (const [index, key] of data.entries()) {
      if (byId.size >= this.#settings.maxKeys) return cursor ?? '';
      if (index % SLICE_KEYS === SLICE_KEYS - 1) await turn();
      const { key_id, sha256, status } = (key ?? {}) as Record<string, unknown>;
      if (typeof key_id !== 'string' || typeof status !== 'string') {
        throw new GuardError('the answer is not a list of denied keys', answer.status);
      }
      byId.set(key_id, status);
      if (typeof sha256 === 'string') byHash.set(compactHash(sha256), status);
    }
    return cursor;
  }

  async #get(query: string, etag?: string): Promise<GetAnswer> {
    const { url, token, timeoutMs } = this.#settings;
    const headers = {
      authorization: `Bearer ${token}`,
      accept: 'application/json',
      'user-agent': 'keytally-guard',
      ...(etag && { 'if-none-match': etag }),
    };
    const waitMs = timeoutMs + (etag ? WAIT_SECONDS * 1_000 : 0);
    const answer = await getOnce(url + query, headers, waitMs, this.#abort).catch((cause) => {
      const { message, code } = cause as NodeJS.ErrnoException;
      throw new GuardError(`${new URL(url).host} cannot be reached: ${message || code || cause}`, undefined, cause);
    });
    if (answer.status === 200 || (answer.status === 304 && etag)) return answer;
    throw new GuardError(
      `the list of denied keys was answered ${answer.status}`,
      answer.status,
      undefined,
      retryAfterMs(answer.retryAfter, Date.now(), MAX_RETRY_AFTER_MS),
    );
  }
}

/** A hash in half the memory of its hexadecimal digits. */
function compactHash(hex: string): string {
  return Buffer.from(hex, 'hex').toString('latin1');
}

function pageOf({ text, status }: GetAnswer): { data: unknown[]; next_cursor: string | null } {
  let page: { data?: unknown; next_cursor?: unknown } | null = null;
  try {
    page = JSON.parse(text);
  } catch {
    // Said below.
  }
  if (!Array.isArray(page?.data)) throw new GuardError('the answer is not a list of denied keys', status);
  return { data: page.data, next_cursor: typeof page.next_cursor === 'string' ? page.next_cursor : null };
}
