import { hash } from 'node:crypto';
import type { RecordInput } from './record.ts';
import { type DeliveryParts, deliver, type Loss } from './sender-delivery.ts';
import { connectionTo } from './sender-http.ts';
import {
  type Sender,
  SenderError,
  type SenderOptions,
  type SenderSettings,
  type SenderStats,
  settingsOf,
} from './sender-options.ts';
import type { Taken } from './sender-post.ts';

interface Entry extends Taken {
  bytes: number;
}

interface Pause {
  end(): void;
  /** The server named the time: it is kept, unless the sender gives up. */
  askedFor: boolean;
}

/** Object, property slots and queue entry of a record without its texts; rounded up. */
const RECORD_OVERHEAD_BYTES = 300;

/** Takes records, holds a bounded number of them, and has them delivered by a few lanes in the background. */
export class SenderQueue implements Sender {
  readonly #settings: SenderSettings;
  readonly #delivery: DeliveryParts;
  readonly #givingUp = new AbortController();
  /** Batches under way. */
  readonly #underway = new Set<Promise<void>>();
  readonly #pauses = new Set<Pause>();
  readonly #dropped: SenderStats['dropped'] = { overflow: 0, rejected: 0, failed: 0, closed: 0 };
  #waiting: Entry[] = [];
  #taken = 0;
  #pending = 0;
  #bytes = 0;
  #recorded = 0;
  #sent = 0;
  #retries = 0;
  #lanes = 0;
  #draining = 0;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;
  #toldFull = false;
  #toldUnauthorized = false;
  #recordedAtExit = -1;

  constructor(options: SenderOptions) {
    this.#settings = settingsOf(options);
    const { service, environment, url, concurrency } = this.#settings;
    this.#delivery = {
      settings: this.#settings,
      connection: connectionTo(url, concurrency),
      defaults: { ...(service && { service }), ...(environment && { environment }) },
      abort: this.#givingUp.signal,
      pause: (ms, askedFor) => this.#pause(ms, askedFor),
      repeated: () => this.#retries++,
      arrived: (count) => this.#arrived(count),
      lost: (...loss) => this.#lost(...loss),
    };
    process.on('beforeExit', this.#onBeforeExit);
  }

  record(record: RecordInput): void {
    this.#recorded++;
    if (this.#closed) {
      this.#dropped.closed++;
      return;
    }
    let entry: Entry;
    try {
      const kept = this.#settings.keyHash && record.key != null ? withHashedKey(record) : record;
      entry = { record: kept, atMs: Date.now(), bytes: estimatedBytes(kept) };
    } catch (error) {
      this.#dropped.rejected++;
      this.#tell(new SenderError('not a record', 1, undefined, error));
      return;
    }
    const { maxRecords, maxBytes, flushRecords, concurrency } = this.#settings;
    if (this.#pending >= maxRecords || this.#bytes + entry.bytes > maxBytes) {
      this.#overflow();
      return;
    }
    this.#waiting.push(entry);
    this.#pending++;
    this.#bytes += entry.bytes;
    if (this.#waiting.length < flushRecords) this.#schedule();
    else if (this.#lanes < concurrency) this.#pump();
  }

  async flush(): Promise<void> {
    if (this.#pending === 0) return;
    this.#draining++;
    for (const pause of [...this.#pauses]) if (!pause.askedFor) pause.end();
    let timer: NodeJS.Timeout | undefined;
    // Not unref'd: it is what keeps a process alive at its end until the records are away.
    const timeout = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, this.#settings.drainTimeoutMs);
    });
    await Promise.race([this.#settled(), timeout]);
    clearTimeout(timer);
    this.#draining--;
  }

  async close(): Promise<void> {
    this.#closed = true;
    process.off('beforeExit', this.#onBeforeExit);
    await this.flush();
    clearTimeout(this.#timer);
    this.#givingUp.abort(new Error('the sender was closed'));
    for (const pause of [...this.#pauses]) pause.end();
    const rest = this.#take(this.#waiting.length);
    if (rest.length > 0) this.#lost('failed', rest.length, 'the sender was closed before they could be sent');
    await Promise.all(this.#underway);
    this.#delivery.connection.close();
  }

  stats(): SenderStats {
    const dropped = { ...this.#dropped };
    return { recorded: this.#recorded, sent: this.#sent, dropped, pending: this.#pending, retries: this.#retries };
  }

  /** The event comes again after all that it started: without a new record since there is nothing more to try. */
  readonly #onBeforeExit = (): void => {
    if (this.#pending === 0 || this.#recordedAtExit === this.#recorded) return;
    this.#recordedAtExit = this.#recorded;
    void this.flush();
  };

  #schedule(): void {
    this.#timer ??= setTimeout(() => this.#pump(), this.#settings.flushIntervalMs).unref();
  }

  /** Starts as many lanes as there is work for. */
  #pump(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const { concurrency, batchRecords } = this.#settings;
    const useful = Math.ceil(this.#waiting.length / batchRecords);
    for (let started = 0; started < useful && this.#lanes < concurrency; started++) void this.#runLane();
  }

  /** Delivers batches one after another until too little waits for a batch. */
  async #runLane(): Promise<void> {
    this.#lanes++;
    do {
      const entries = this.#take(this.#settings.batchRecords);
      const bytes = entries.reduce((sum, entry) => sum + entry.bytes, 0);
      const delivery = deliver(this.#delivery, entries);
      this.#underway.add(delivery);
      await delivery;
      this.#underway.delete(delivery);
      this.#bytes -= bytes;
      this.#toldFull = false;
    } while (this.#waiting.length >= (this.#draining > 0 ? 1 : this.#settings.flushRecords));
    this.#lanes--;
    if (this.#waiting.length > 0) this.#schedule();
  }

  #take(count: number): Entry[] {
    const entries = this.#waiting.splice(0, count);
    this.#taken += entries.length;
    return entries;
  }

  /** Resolves when every record that is held now has its fate, whatever is recorded meanwhile. */
  async #settled(): Promise<void> {
    const last = this.#taken + this.#waiting.length;
    while (this.#taken < last) {
      this.#pump();
      await (this.#underway.size > 0 ? Promise.race(this.#underway) : undefined);
      // The lane that finished takes its next batch in this turn.
      await new Promise((resolve) => setImmediate(resolve));
    }
    await Promise.all([...this.#underway]);
  }

  #pause(ms: number, askedFor: boolean): Promise<void> {
    return new Promise((resolve) => {
      const pause = {
        askedFor,
        end: () => {
          clearTimeout(timer);
          this.#pauses.delete(pause);
          resolve();
        },
      };
      const timer = setTimeout(pause.end, ms).unref();
      this.#pauses.add(pause);
    });
  }

  #arrived(count: number): void {
    this.#sent += count;
    this.#pending -= count;
    this.#toldUnauthorized = false;
  }

  #lost(loss: Loss, count: number, message: string, status?: number, cause?: unknown): void {
    this.#dropped[loss] += count;
    this.#pending -= count;
    const unauthorized = status === 401 || status === 403;
    // A wrong token fails every batch: once is enough until one gets through.
    if (unauthorized && this.#toldUnauthorized) return;
    this.#toldUnauthorized ||= unauthorized;
    this.#tell(new SenderError(message, count, status, cause));
  }

  /** Told once per spell, not once per record: the host has enough to do at that moment. */
  #overflow(): void {
    this.#dropped.overflow++;
    if (this.#toldFull) return;
    this.#toldFull = true;
    this.#tell(new SenderError('the sender is full, new records are dropped', 1));
  }

  #tell(error: SenderError): void {
    try {
      if (this.#settings.onError) this.#settings.onError(error);
      else if (error.status === 401 || error.status === 403) process.emitWarning(`keytally: ${error.message}`);
    } catch {
      // The host's own callback must not break the host's request.
    }
  }
}

function withHashedKey({ key, ...record }: RecordInput): RecordInput {
  return { ...record, key_sha256: hash('sha256', key!, 'hex') };
}

/** Upper bound of the texts: two bytes a character, as the engine keeps those with one outside Latin-1. */
function estimatedBytes(record: RecordInput): number {
  const characters =
    (record.path?.length ?? 0) +
    (record.route?.length ?? 0) +
    (record.user_agent?.length ?? 0) +
    (record.key_id?.length ?? 0) +
    (record.key_sha256?.length ?? 0) +
    (record.key?.length ?? 0) +
    (record.request_id?.length ?? 0) +
    (record.ip?.length ?? 0) +
    (record.error?.length ?? 0);
  return RECORD_OVERHEAD_BYTES + characters * 2;
}
