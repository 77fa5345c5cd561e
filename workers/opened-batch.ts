import type { KeyRateLimit } from '../ingest/batch.ts';
import type { BatchJob, UniqueRange } from '../ingest/queue.ts';
import type { RowRange } from './native-block.ts';
import type { RequestIds } from './request-ids.ts';

/** Some rows of a batch as a dead letter keeps them. */
export interface KeptRows {
  /** The first of them, as people see it: see sample-row.ts. */
  sample: string;
  /** Exactly these rows, compressed as in the queue, with addresses as `requests` has them and their countries. */
  payload: string;
}

/** A batch that was decoded, wherever it lies: here or in another thread. */
export interface OpenedBatch {
  readonly rows: number;
  readonly rateLimits: readonly KeyRateLimit[];
  /** What tells rows of these ranges that were sent before. */
  requestIds(unique: readonly UniqueRange[]): Promise<RequestIds>;
  /** Rows of the ranges as a block of `requests`; the same batch and ranges always give the same block. */
  block(ranges: readonly RowRange[]): Promise<Buffer>;
  keep(rows: readonly number[]): Promise<KeptRows>;
  /** Its memory may go. */
  close(): void;
}

/** What of a job is needed to decode its batch. */
export type QueuedBatch = Pick<BatchJob, 'payload' | 'receivedAtMs'>;

/** Decodes batches. */
export interface BatchOpener {
  /** When the country data was built. */
  readonly geoBuiltAt: Date;
  /** @throws {UnreadableBatch} when the payload is not a batch of this version */
  open(batchId: string, job: QueuedBatch): Promise<OpenedBatch>;
  close(): Promise<void>;
}

/** The same payload will fail every time. */
export class UnreadableBatch extends Error {}
