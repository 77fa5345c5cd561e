import { setTimeout as sleep } from 'node:timers/promises';
import type { Random } from '../support/random.ts';

const KEYS = 4;
const TIMEOUT_MS = 8_000;
const RETRY_MS = 250;
const PAUSE_MS = 300;

/** What was acknowledged of one key. */
export interface KeyTruth {
  status: 'active' | 'inactive';
  deactivated: number;
  reactivated: number;
}

/**
 * Somebody who deactivates and reactivates keys all the time, and repeats each wish until it is confirmed. Each
 * confirmed change must stand in the registry, in the audit and among the events exactly once.
 */
export class KeyWriter {
  readonly truth = new Map<string, KeyTruth>();
  failures = 0;
  readonly #url: string;
  readonly #token: string;
  readonly #random: Random;
  #running = true;

  constructor(url: string, token: string, random: Random) {
    this.#url = url;
    this.#token = token;
    this.#random = random;
  }

  async run(): Promise<void> {
    for (let n = 0; n < KEYS; n++) {
      await this.#confirmed('PUT', `registered-${n}`, { name: `key ${n}` });
      this.truth.set(`registered-${n}`, { status: 'active', deactivated: 0, reactivated: 0 });
    }
    while (this.#running) {
      await this.#toggle(`registered-${this.#random.integer(0, KEYS - 1)}`);
      await sleep(PAUSE_MS);
    }
  }

  finish(): void {
    this.#running = false;
  }

  /** One change of every key without faults: it completes what a killed writer left out. */
  async settle(): Promise<void> {
    for (const keyId of this.truth.keys()) await this.#toggle(keyId);
  }

  async #toggle(keyId: string): Promise<void> {
    const truth = this.truth.get(keyId)!;
    const wish = truth.status === 'active' ? 'deactivate' : 'reactivate';
    await this.#confirmed('POST', `${keyId}/${wish}`, { reason: 'chaos' });
    truth.status = wish === 'deactivate' ? 'inactive' : 'active';
    truth[`${wish}d`]++;
  }

  async #confirmed(method: string, path: string, body: object): Promise<void> {
    for (;;) {
      try {
        const response = await fetch(`${this.#url}/v1/keys/${path}`, {
          method,
          headers: { Authorization: `Bearer ${this.#token}`, 'Content-Type': 'application/json' },
          body: JSON.stringify(body),
          signal: AbortSignal.timeout(TIMEOUT_MS),
        });
        const text = await response.text();
        if (response.ok) return;
        if (response.status === 400 || response.status === 404) throw new TypeError(`${path}: ${text}`);
      } catch (error) {
        if (error instanceof TypeError && error.message.includes(path)) throw error;
      }
      this.failures++;
      await sleep(RETRY_MS);
    }
  }
}
