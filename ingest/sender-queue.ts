import type { RecordInput } from './record.ts';
import { LineBuffer, type Lines } from './sender-buffer.ts';
import { type DeliveryParts, deliver, type Loss } from './sender-delivery.ts';
import { connectionTo } from './sender-http.ts';
import { LineWriter } from './sender-line.ts';
import {
  type Sender,
  SenderError,
  type SenderOptions,
  type SenderSettings,
  type SenderStats,
  settingsOf,
} from './sender-options.ts';
import { clockOrigin, type EndedRequest, recordOf } from './sender-request.ts';

/** Ended requests that are made records together, at most. */
const ENDED_TOGETHER = 256;

interface Pause {
  end(): void;
  /** The server named the time: it is kept, unless the sender gives up. */
  askedFor: boolean;
}

/** Takes records, holds a bounded number of them, and has them delivered by a few lanes in the background. */
export class SenderQueue implements Sender {
  readonly #settings: SenderSettings;
  readonly #delivery: DeliveryParts;
  readonly #givingUp = new AbortController();
  /** Batches under way. */
  readonly #underway = new Set<Promise<void>>();
  readonly #pauses = new Set<Pause>();
  readonly #dropped: SenderStats['dropped'] = { overflow: 0, rejected: 0, failed: 0, closed: 0 };
  readonly #writer: LineWriter;
  readonly #waiting: LineBuffer;
  /** Requests that are no records yet: at most {@link ENDED_TOGETHER}, until the next batch is sent. */
  #ended: EndedRequest[] = [];
  /** Waiting records from which on a batch is sent at once. */
  readonly #enough: number;
  #taken = 0;
  #pending = 0;
  /** Of the batches under way. */
  #bytesUnderway = 0;
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
    const { url, concurrency, batchRecords, flushRecords, maxRecords } = this.#settings;
    this.#writer = new LineWriter(this.#settings);
    this.#waiting = new LineBuffer(batchRecords);
    this.#enough = Math.min(flushRecords, Math.ceil(maxRecords / 2));
    this.#delivery = {
      settings: this.#settings,
      connection: connectionTo(url, concurrency),
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
    const { maxRecords, maxBytes, concurrency } = this.#settings;
    if (this.#pending >= maxRecords) {
      this.#overflow();
      return;
    }
    let line: string;
    try {
      line = this.#writer.lineOf(record);
    } catch (error) {
      this.#dropped.rejected++;
      this.#tell(new SenderError('not a record, or cannot be written as JSON', 1, undefined, error));
      return;
    }
    if (this.#waiting.bytes + this.#bytesUnderway + line.length > maxBytes) {
      this.#overflow();
      return;
    }
    this.#waiting.add(line);
    this.#pending++;
    if (!this.#isEnough()) this.#schedule();
    else if (this.#lanes < concurrency) this.#pump();
  }

  /** Has a request made a record, at the latest when the next batch is sent. Its key is hashed now: none is held. */
  recordEnd(ended: EndedRequest): void {
    if (ended.key !== undefined && this.#settings.keyHash) {
      ended.keySha256 = this.#writer.digestOf(ended.key);
      ended.key = undefined;
    }
    const held = this.#ended.push(ended);
    const isFull = this.#pending + held > this.#settings.maxRecords;
    const isEnough = held >= ENDED_TOGETHER || this.#waiting.records + held >= this.#enough;
    if (isFull || isEnough || this.#closed) this.#recordHeldEnds();
    else this.#schedule();
  }

  #recordHeldEnds(): void {
    const ended = this.#ended;
    this.#ended = [];
    const originMs = clockOrigin();
    for (const request of ended) {
      try {
        this.record(recordOf(request, originMs));
      } catch (error) {
        this.#recorded++;
        this.#dropped.rejected++;
        this.#tell(new SenderError('a request could not be read', 1, undefined, error));
      }
    }
  }

  async flush(): Promise<void> {
    this.#recordHeldEnds();
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
    this.#recordHeldEnds();
    this.#closed = true;
    process.off('beforeExit', this.#onBeforeExit);
    await this.flush();
    clearTimeout(this.#timer);
    this.#givingUp.abort(new Error('the sender was closed'));
    for (const pause of [...this.#pauses]) pause.end();
    const rest = this.#waiting.records;
    while (this.#take() !== undefined);
    if (rest > 0) this.#lost('failed', rest, 'the sender was closed before they could be sent');
    await Promise.all(this.#underway);
    this.#delivery.connection.close();
  }

  stats(): SenderStats {
    const unwritten = this.#ended.length;
    return {
      recorded: this.#recorded + unwritten,
      sent: this.#sent,
      dropped: { ...this.#dropped },
      pending: this.#pending + unwritten,
      retries: this.#retries,
    };
  }

  /** The event comes again after all that it started: without a new record since there is nothing more to try. */
  readonly #onBeforeExit = (): void => {
    this.#recordHeldEnds();
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
    this.#recordHeldEnds();
    const { concurrency } = this.#settings;
    const useful = this.#waiting.bodies;
    for (let started = 0; started < useful && this.#lanes < concurrency; started++) void this.#runLane();
  }

  /** Delivers batches one after another until too little waits for a batch. */
  async #runLane(): Promise<void> {
    this.#lanes++;
    do {
      const lines = this.#take();
      if (lines === undefined) break;
      const delivery = deliver(this.#delivery, lines);
      this.#bytesUnderway += lines.body.length;
      this.#underway.add(delivery);
      await delivery;
      this.#underway.delete(delivery);
      this.#bytesUnderway -= lines.body.length;
      this.#waiting.giveBack(lines);
      this.#toldFull = false;
    } while (this.#draining > 0 || this.#waiting.bodies > 1 || this.#isEnough());
    this.#lanes--;
    if (this.#waiting.records > 0) this.#schedule();
  }

  #isEnough(): boolean {
    const { records, bytes } = this.#waiting;
    return records >= this.#enough || bytes * 2 >= this.#settings.maxBytes;
  }

  #take(): Lines | undefined {
    const lines = this.#waiting.take();
    this.#taken += lines?.records ?? 0;
    return lines;
  }

  /** Resolves when every record that is held now has its fate, whatever is recorded meanwhile. */
  async #settled(): Promise<void> {
    const last = this.#taken + this.#waiting.records;
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
