import { setTimeout as sleep } from 'node:timers/promises';
import type { Random } from '../support/random.ts';
import type { Ledger, Sent } from './ledger.ts';

/** How a gateway tells the collector that it repeats itself: by one key per POST, or by each record's request id. */
export type Repeats = 'idempotency_key' | 'request_id';

export interface GatewayStats {
  posts: number;
  /** Answers other than 202, and connections that broke. */
  failures: number;
  /** POSTs that had been acknowledged and were sent again, some of them much later. */
  repeated: number;
  acknowledged: number;
}

const ROUTES = ['/v1/things/{id}', '/v1/things', '/v1/orders/{id}/lines', '/health'];
const STATUSES = [200, 200, 200, 201, 204, 301, 400, 404, 429, 500, 503];
const COUNTRIES = ['SE', 'US', 'IN', 'DE', 'ZZ'];
const KEYS = 12;
const TIMEOUT_MS = 8_000;
const RETRY_MS = 150;
const PAUSE_MS = 40;
const DAY_MS = 86_400_000;
/** Acknowledged POSTs kept for a later, reordered repeat. */
const MAX_KEPT = 40;

interface Post {
  id: string;
  records: Sent[];
}

/**
 * A gateway that behaves: it repeats a POST until it gets a 202, and only that 202 goes into the ledger. Sometimes it
 * sends again what was acknowledged already.
 */
export class Gateway {
  readonly stats: GatewayStats = { posts: 0, failures: 0, repeated: 0, acknowledged: 0 };
  /** Answers that no retry cures: none is expected. */
  readonly refused: string[] = [];
  readonly #name: string;
  readonly #repeats: Repeats;
  readonly #urls: readonly string[];
  readonly #token: string;
  readonly #random: Random;
  readonly #ledger: Ledger;
  readonly #kept: Post[] = [];
  #sequence = 0;
  #running = true;

  constructor(
    name: string,
    repeats: Repeats,
    target: { urls: readonly string[]; token: string },
    random: Random,
    ledger: Ledger,
  ) {
    this.#name = name;
    this.#repeats = repeats;
    this.#urls = target.urls;
    this.#token = target.token;
    this.#random = random;
    this.#ledger = ledger;
  }

  /** Sends until {@link finish}, and then what it still has. */
  async run(): Promise<void> {
    while (this.#running) {
      await this.#deliver(this.#next());
      if (this.#kept.length > 0 && this.#random.next() < 0.12) await this.#again();
      await sleep(PAUSE_MS);
    }
  }

  finish(): void {
    this.#running = false;
  }

  /** One fresh request of every key, without faults: limits are looked at when a key is used. */
  async settle(): Promise<void> {
    const records = Array.from({ length: KEYS }, (_, n) => ({
      ...this.#record(),
      key_id: `chaos-${n}`,
      timestamp: Date.now(),
    }));
    await this.#deliver({ id: `${this.#name}-settle`, records });
  }

  #next(): Post {
    const records = Array.from({ length: this.#random.integer(1, 40) }, () => this.#record());
    return { id: `${this.#name}-post-${this.#sequence}`, records };
  }

  #record(): Sent {
    const random = this.#random;
    // Some come late: a gateway that was cut off delivers yesterday's requests today.
    const ageMs = random.next() < 0.2 ? random.integer(0, 2 * DAY_MS) : random.integer(0, 60_000);
    return {
      key_id: `chaos-${random.integer(0, KEYS - 1)}`,
      timestamp: Date.now() - ageMs,
      method: random.pick(['GET', 'GET', 'POST', 'DELETE']),
      route: random.pick(ROUTES),
      status: random.pick(STATUSES),
      latency_ms: random.integer(1, 900),
      request_bytes: random.integer(0, 2_000),
      response_bytes: random.integer(0, 40_000),
      country: random.pick(COUNTRIES),
      service: random.pick(['checkout', 'search']),
      environment: random.pick(['production', 'staging']),
      request_id: `${this.#name}-${this.#sequence++}`,
    };
  }

  async #deliver(post: Post): Promise<void> {
    const queue = [post.records];
    while (queue.length > 0) {
      const records = queue[0]!;
      const outcome = await this.#post(post.id, records);
      if (outcome === 'taken') {
        queue.shift();
        this.#ledger.add(records);
        this.stats.acknowledged += records.length;
      } else if (outcome === 'refused') {
        queue.shift();
      } else {
        await sleep(RETRY_MS);
        // The next attempt cuts the payload elsewhere, as log shippers do.
        if (this.#repeats === 'request_id' && records.length > 1) queue.splice(0, 1, ...this.#split(records));
      }
    }
    this.#kept.push(post);
    if (this.#kept.length > MAX_KEPT) this.#kept.shift();
  }

  #split(records: Sent[]): Sent[][] {
    const at = this.#random.integer(1, records.length - 1);
    return [records.slice(0, at), records.slice(at)];
  }

  /** Repeats an older POST; whatever the answer, it must not be counted again. */
  async #again(): Promise<void> {
    const post = this.#random.pick(this.#kept);
    this.stats.repeated++;
    await this.#post(post.id, post.records);
  }

  async #post(id: string, records: readonly Sent[]): Promise<'taken' | 'refused' | 'unknown'> {
    this.stats.posts++;
    const byKey = this.#repeats === 'idempotency_key';
    try {
      const response = await fetch(`${this.#random.pick(this.#urls)}/v1/${byKey ? 'requests' : 'ingest/keytally'}`, {
        method: 'POST',
        headers: {
          Authorization: `Bearer ${this.#token}`,
          'Content-Type': 'application/json',
          ...(byKey ? { 'Idempotency-Key': id } : {}),
        },
        body: JSON.stringify(records),
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      const text = await response.text();
      if (response.status === 202) return this.#whole(text, records.length);
      this.stats.failures++;
      if (response.status >= 500 || response.status === 429) return 'unknown';
      this.refused.push(`${response.status} ${text.slice(0, 200)}`);
      return 'refused';
    } catch {
      this.stats.failures++;
      return 'unknown';
    }
  }

  #whole(text: string, count: number): 'taken' | 'refused' {
    const { accepted } = JSON.parse(text) as { accepted: number };
    if (accepted === count) return 'taken';
    this.refused.push(`accepted ${accepted} of ${count}: ${text.slice(0, 200)}`);
    return 'refused';
  }
}
