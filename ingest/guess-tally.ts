import { RecentMap } from './recent-map.ts';

/** Refused tokens per address and minute that are told what is wrong. */
export const MAX_REFUSALS_TOLD = 300;
/** Different wrong tokens per address and minute: more are looked up for nobody. */
export const MAX_GUESSES = 10_000;
const WINDOW_MS = 60_000;
const TRACKED_ADDRESSES = 50_000;
const TRACKED_CREDENTIALS = 50_000;

interface Refusals {
  count: number;
  guesses: number;
  resetAtMs: number;
}

/**
 * Which addresses guess tokens. Behind one address may be a load balancer or a whole office: what one sender does there must not stop the
 * others. So a token that is not known to be wrong is looked up, and the same wrong one again and again, as of a gateway whose token has
 * expired, is no guessing.
 */
export class GuessTally {
  readonly #now: () => number;
  readonly #refusals = new RecentMap<string, Refusals>(TRACKED_ADDRESSES);
  /** Hashes of wrong ones, and of good ones with the address that used them. */
  readonly #wrong = new RecentMap<string, true>(TRACKED_CREDENTIALS);
  readonly #good = new RecentMap<string, true>(TRACKED_CREDENTIALS);

  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  /** Whether any token was refused to the address lately. */
  isWatched(address: string): boolean {
    return this.#of(address) !== undefined;
  }

  /** Whether a credential of the address may be looked up. */
  mayTry(address: string, credential: string): boolean {
    const seen = this.#of(address);
    return seen === undefined || seen.guesses < MAX_GUESSES || this.#good.get(address + credential) !== undefined;
  }

  accepted(address: string, credential: string): void {
    this.#good.set(address + credential, true);
  }

  /**
   * Counts a refused credential; '' when there was none.
   * @returns whether the address is told that it was wrong
   */
  refused(address: string, credential: string): boolean {
    const seen = this.#of(address) ?? { count: 0, guesses: 0, resetAtMs: this.#now() + WINDOW_MS };
    this.#refusals.set(address, seen);
    seen.count++;
    if (credential !== '' && this.#wrong.get(credential) === undefined) {
      this.#wrong.set(credential, true);
      seen.guesses++;
    }
    return seen.count <= MAX_REFUSALS_TOLD;
  }

  /** Until the address is told again. */
  secondsLeft(address: string): number {
    return Math.ceil(((this.#of(address)?.resetAtMs ?? this.#now()) - this.#now()) / 1000);
  }

  #of(address: string): Refusals | undefined {
    const seen = this.#refusals.get(address);
    return seen !== undefined && seen.resetAtMs > this.#now() ? seen : undefined;
  }
}
