import { setTimeout as sleep } from 'node:timers/promises';
import type { Random } from '../support/random.ts';
import type { ExpectedAlerts, KeyChange } from './compare-alerts.ts';

const KEYS = 4;
const TIMEOUT_MS = 8_000;
const RETRY_MS = 250;
const PAUSE_MS = 300;
/** One change in so many is a new key that soon expires. */
const EXPIRING_SHARE = 0.15;
const EXPIRES_AFTER_MS = 4_000;
/** Limits of keys that the gateways use: met early, met late or not at all, never met. */
const MONTHLY_LIMITS: ReadonlyMap<string, number> = new Map([
  ['chaos-0', 40],
  ['chaos-1', 300],
  ['chaos-2', 1_000_000_000],
]);

/** What was acknowledged of one key. */
export interface KeyTruth {
  status: 'active' | 'inactive';
  deactivated: number;
  reactivated: number;
}

/**
 * Several who deactivate and reactivate keys all the time, and repeat each wish until it is confirmed. Each
 * confirmed change must stand in the registry, in the audit and among the events exactly once.
 */
export class KeyWriter {
  readonly truth = new Map<string, KeyTruth>();
  failures = 0;
  readonly #changes: KeyChange[] = [];
  /** Keys whose expiry was written by an attempt that got no answer, or was not written. */
  readonly #uncertain = new Set<string>();
  /** When the last of the keys that expire does so. */
  #lastExpiryMs = 0;
  #expiring = 0;
  readonly #url: string;
  readonly #token: string;
  readonly #random: Random;
  #running = true;

  constructor(url: string, token: string, random: Random) {
    this.#url = url;
    this.#token = token;
    this.#random = random;
  }

  /** Registers the keys, before anything is broken. */
  async prepare(): Promise<void> {
    for (let n = 0; n < KEYS; n++) {
      await this.#confirmed('PUT', `registered-${n}`, { name: `key ${n}` });
      this.truth.set(`registered-${n}`, { status: 'active', deactivated: 0, reactivated: 0 });
    }
    for (const [keyId, perMonth] of MONTHLY_LIMITS) {
      await this.#confirmed('PUT', keyId, { limits: { per_month: perMonth } });
    }
  }

  async run(): Promise<void> {
    await Promise.all([...this.truth.keys()].map((keyId) => this.#change(keyId)));
  }

  /** One after the other for each key: a wish that waits for an outage keeps nobody else from wishing. */
  async #change(keyId: string): Promise<void> {
    while (this.#running) {
      if (this.#random.next() < EXPIRING_SHARE) await this.#expiringKey();
      await this.#toggle(keyId);
      await sleep(PAUSE_MS + this.#random.integer(0, PAUSE_MS));
    }
  }

  finish(): void {
    this.#running = false;
  }

  /** One change of every key without faults: it completes what a killed writer left out. */
  async settle(): Promise<void> {
    for (const keyId of this.truth.keys()) await this.#toggle(keyId);
    await sleep(Math.max(0, this.#lastExpiryMs - Date.now()));
  }

  /** What people must have been told of all this. */
  get expected(): ExpectedAlerts {
    const active = [...this.truth].filter(([, { status }]) => status === 'active').map(([keyId]) => keyId);
    return {
      changes: this.#changes,
      uncertain: this.#uncertain,
      monthlyLimits: MONTHLY_LIMITS,
      active: new Set(active),
    };
  }

  /** A key that soon expires by itself. It is tried once: by the time of a repeat its expiry may have passed. */
  async #expiringKey(): Promise<void> {
    const keyId = `expiring-${this.#expiring++}`;
    const expiresAtMs = Date.now() + EXPIRES_AFTER_MS;
    const answer = await this.#attempt('PUT', keyId, { expires_at: new Date(expiresAtMs).toISOString() }).catch(
      (error: unknown) => {
        // On a slow machine its expiry may have passed before it arrived.
        if (Date.now() < expiresAtMs) throw error;
        return 'unknown' as const;
      },
    );
    if (answer === 'done') this.#changes.push({ keyId, type: 'key.expired' });
    else this.#uncertain.add(keyId);
    this.#lastExpiryMs = Math.max(this.#lastExpiryMs, expiresAtMs);
  }

  async #toggle(keyId: string): Promise<void> {
    const truth = this.truth.get(keyId)!;
    const wish = truth.status === 'active' ? 'deactivate' : 'reactivate';
    await this.#confirmed('POST', `${keyId}/${wish}`, { reason: 'chaos' });
    truth.status = wish === 'deactivate' ? 'inactive' : 'active';
    truth[`${wish}d`]++;
    const version = 1 + truth.deactivated + truth.reactivated;
    this.#changes.push({ keyId, type: `key.${wish}d`, version });
  }

  async #confirmed(method: string, path: string, body: object): Promise<void> {
    while ((await this.#attempt(method, path, body)) !== 'done') await sleep(RETRY_MS);
  }

  /** @throws {TypeError} for an answer that no repeat cures */
  async #attempt(method: string, path: string, body: object): Promise<'done' | 'unknown'> {
    try {
      const response = await fetch(`${this.#url}/v1/keys/${path}`, {
        method,
        headers: { Authorization: `Bearer ${this.#token}`, 'Content-Type': 'application/json' },
        body: JSON.stringify(body),
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      const text = await response.text();
      if (response.ok) return 'done';
      if (response.status === 400 || response.status === 404) throw new TypeError(`${path}: ${text}`);
    } catch (error) {
      if (error instanceof TypeError && error.message.includes(path)) throw error;
    }
    this.failures++;
    return 'unknown';
  }
}
