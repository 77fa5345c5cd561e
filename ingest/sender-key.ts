import { hash, randomBytes } from 'node:crypto';
import { RecentMap } from './recent-map.ts';

/** Digests remembered, at about 200 bytes each. */
const MAX_REMEMBERED = 5_000;
/** Longer keys are hashed each time. */
const MAX_REMEMBERED_LENGTH = 256;

interface Digest {
  sha256: string;
  /** What of the fingerprint is not in the map's key. */
  rest: number;
}

/**
 * SHA-256 of raw keys, remembered for those that come again. The keys themselves are not kept: a digest is found by
 * HalfSipHash-1-3 of its key, 64 bits under a secret of this process (Aumasson and Bernstein, "SipHash: a fast
 * short-input PRF", in the form the Linux kernel uses for its tables). Two of the remembered keys share one with a
 * probability of less than 1e-12, and without the secret nobody can look for such a pair.
 */
export class KeyDigests {
  readonly #digests = new RecentMap<number, Digest>(MAX_REMEMBERED);
  readonly #secretLow: number;
  readonly #secretHigh: number;

  constructor() {
    const secret = randomBytes(8);
    this.#secretLow = secret.readInt32LE(0);
    this.#secretHigh = secret.readInt32LE(4);
  }

  /**
   * @returns 64 hexadecimal digits, as `key_sha256` has them
   * @throws TypeError when the key is no text
   */
  of(key: string): string {
    if (typeof key !== 'string' || key.length > MAX_REMEMBERED_LENGTH) return hash('sha256', key, 'hex');
    const [low, high] = halfSipHash(key, this.#secretLow, this.#secretHigh);
    const index = low * 2 ** 21 + (high >>> 11);
    const rest = high & 0x7ff;
    const known = this.#digests.get(index);
    if (known?.rest === rest) return known.sha256;
    const sha256 = hash('sha256', key, 'hex');
    this.#digests.set(index, { sha256, rest });
    return sha256;
  }
}

/** Of the text as UTF-16. Two unsigned halves of 32 bits. */
export function halfSipHash(text: string, secretLow: number, secretHigh: number): [number, number] {
  let [v0, v1, v2, v3] = [secretLow, secretHigh ^ 0xee, 0x6c796765 ^ secretLow, 0x74656462 ^ secretHigh];
  const words = (text.length >> 1) + 1;
  // One round for each word; three at the end of each half of the result.
  const rounds = words + 6;
  let low = 0;
  for (let round = 0; round < rounds; round++) {
    let word = 0;
    if (round < words) {
      const at = round << 1;
      if (round < words - 1) word = text.charCodeAt(at) | (text.charCodeAt(at + 1) << 16);
      else word = (at < text.length ? text.charCodeAt(at) : 0) | ((text.length & 0x7f) << 25);
    } else if (round === words) v2 ^= 0xee;
    else if (round === words + 3) {
      low = (v1 ^ v3) >>> 0;
      v1 ^= 0xdd;
    }
    v3 ^= word;
    v0 = (v0 + v1) | 0;
    v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
    v0 = (v0 << 16) | (v0 >>> 16);
    v2 = (v2 + v3) | 0;
    v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
    v0 = (v0 + v3) | 0;
    v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
    v2 = (v2 + v1) | 0;
    v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
    v2 = (v2 << 16) | (v2 >>> 16);
    v0 ^= word;
  }
  return [low, (v1 ^ v3) >>> 0];
}
