import { type Batch, decodeBatch, encodeBatch } from '../ingest/batch.ts';
import { partOfBatch } from '../ingest/batch-part.ts';
import type { Config } from '../ingest/config.ts';
import type { Logger } from '../ingest/logger.ts';
import type { UniqueRange } from '../ingest/queue.ts';
import { openGeo } from './geo.ts';
import type { RowRange } from './native-block.ts';
import {
  type BatchOpener,
  type KeptRows,
  type OpenedBatch,
  type QueuedBatch,
  UnreadableBatch,
} from './opened-batch.ts';
import { type Enrichment, requestBlock } from './request-block.ts';
import { requestIdsOf } from './request-ids.ts';
import { sampleRow } from './sample-row.ts';
import { storedIp } from './truncate-ip.ts';

/** Opens batches in the thread that calls it. */
export class DirectOpener implements BatchOpener {
  readonly #enrichment: Enrichment;

  constructor(enrichment: Enrichment) {
    this.#enrichment = enrichment;
  }

  get geoBuiltAt(): Date {
    return this.#enrichment.geo.builtAt;
  }

  async open(batchId: string, { payload, receivedAtMs }: QueuedBatch): Promise<OpenedBatch> {
    const batch = await decodeBatch(payload).catch((error: Error) => {
      throw new UnreadableBatch(error.message);
    });
    return new DirectBatch(batch, batchId, receivedAtMs, this.#enrichment);
  }

  async close(): Promise<void> {
    this.#enrichment.geo.close();
  }
}

/** @throws {ConfigError} when the country data cannot be used */
export async function startDirectOpener(config: Config, log: Logger): Promise<DirectOpener> {
  const geo = await openGeo(config);
  if (config.GEOIP_DB !== undefined) geo.follow(log);
  return new DirectOpener({ geo, ipStorage: config.IP_STORAGE });
}

/** A letter is kept for years: of an address no more than `requests` has, and the country before it is gone. */
function keptAddress({ geo, ipStorage }: Enrichment) {
  return (ip: string, country: string) => ({
    ip: storedIp(ip, ipStorage),
    country: country || geo.countryOf(ip),
  });
}

class DirectBatch implements OpenedBatch {
  readonly #batch: Batch;
  readonly #batchId: string;
  readonly #receivedAtMs: number;
  readonly #enrichment: Enrichment;

  constructor(batch: Batch, batchId: string, receivedAtMs: number, enrichment: Enrichment) {
    this.#batch = batch;
    this.#batchId = batchId;
    this.#receivedAtMs = receivedAtMs;
    this.#enrichment = enrichment;
  }

  get rows() {
    return this.#batch.rows;
  }

  get rateLimits() {
    return [...this.#batch.rateLimits.values()];
  }

  requestIds(unique: readonly UniqueRange[]) {
    return requestIdsOf(this.#batch, unique);
  }

  block(ranges: readonly RowRange[]): Promise<Buffer> {
    return requestBlock(this.#batch, this.#batchId, this.#receivedAtMs, ranges, this.#enrichment);
  }

  async keep(rows: readonly number[]): Promise<KeptRows> {
    const sample = sampleRow(this.#batch, this.#batchId, this.#receivedAtMs, rows[0]!, this.#enrichment);
    const kept = partOfBatch(this.#batch, rows, keptAddress(this.#enrichment));
    if (rows.length === this.#batch.rows)
      for (const told of this.#batch.rateLimits.values()) kept.rateLimits.set(told.keyId, told);
    return { sample, payload: await encodeBatch(kept) };
  }

  close(): void {}
}
