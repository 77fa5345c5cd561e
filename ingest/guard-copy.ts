import { type DeniedList, DeniedListReader } from './guard-list.ts';
import { GuardError, type GuardSettings } from './guard-options.ts';

/** Changes that follow each other are gathered: each costs the whole list. */
const CHANGED_ROUND_MS = 250;
/** A server or proxy that does not wait is not asked more often. */
const SAME_ROUND_MS = 1_000;
const MAX_PAUSE_MS = 5_000;
/** A wrong token or address does not heal by itself. */
const REFUSED_PAUSE_MS = 30_000;

/** Keeps a copy of the denied keys up to date in the background. Never throws; a copy stays until a newer one is whole. */
export class DeniedCopy {
  /** Empty until the first answer: everybody is let through. */
  list: DeniedList = { byId: new Map(), byHash: new Map(), cut: false };
  confirmedAt: number | null = null;
  readonly #settings: GuardSettings;
  readonly #report: (error: GuardError) => void;
  readonly #closing = new AbortController();
  readonly #running: Promise<void>;
  #etag: string | undefined;

  constructor(settings: GuardSettings, report: (error: GuardError) => void) {
    this.#settings = settings;
    this.#report = report;
    this.#running = this.#run();
  }

  /** Ends the request and the pause that are under way. The copy stays as it is. */
  async close(): Promise<void> {
    this.#closing.abort(new Error('the guard was closed'));
    await this.#running;
  }

  async #run(): Promise<void> {
    const abort = this.#closing.signal;
    const reader = new DeniedListReader(this.#settings, abort);
    let failures = 0;
    while (!abort.aborted) {
      const startedAt = performance.now();
      let pauseMs: number;
      try {
        const changed = await this.#refresh(reader);
        failures = 0;
        pauseMs = (changed ? CHANGED_ROUND_MS : SAME_ROUND_MS) - (performance.now() - startedAt);
      } catch (error) {
        if (abort.aborted) break;
        const failure = error instanceof GuardError ? error : new GuardError('unexpected', undefined, error);
        this.#report(failure);
        pauseMs = pauseAfter(failure, this.#settings.retryBaseMs, failures++);
      }
      await pause(pauseMs, abort);
    }
  }

  async #refresh(reader: DeniedListReader): Promise<boolean> {
    const next = await reader.next(this.#etag);
    this.confirmedAt = Date.now();
    if (!next) return false;
    const changed = next.etag !== this.#etag;
    const { maxKeys } = this.#settings;
    if (next.list.cut && !this.list.cut) {
      this.#report(new GuardError(`more than ${maxKeys} keys are denied; those beyond it are let through`));
    }
    this.list = next.list;
    this.#etag = next.etag;
    return changed;
  }
}

/** Doubles, and is spread over its second half: many gateways that lost one Keytally must not return in one moment. */
function pauseAfter({ status = 0, retryAfterMs }: GuardError, baseMs: number, failures: number): number {
  const refused = status >= 300 && status < 500 && status !== 408 && status !== 425 && status !== 429;
  const full = refused ? REFUSED_PAUSE_MS : Math.min(MAX_PAUSE_MS, baseMs * 2 ** Math.min(failures, 20));
  return Math.max(full / 2 + (Math.random() * full) / 2, retryAfterMs);
}

function pause(ms: number, abort: AbortSignal): Promise<void> {
  if (ms <= 0 || abort.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      abort.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, ms).unref();
    abort.addEventListener('abort', end);
  });
}
