import type { KeyRateLimit } from '../ingest/batch.ts';
import type { Config } from '../ingest/config.ts';
import type { UniqueRange } from '../ingest/queue.ts';
import type { RowRange } from './native-block.ts';
import type { QueuedBatch } from './opened-batch.ts';

/** What an opener thread is started with. */
export interface OpenerStart {
  config: Config;
}

/** What it tells of itself. */
export interface OpenerAbout {
  geoBuiltAtMs: number;
}

/** What it is asked. `batch` is the number that the answer to `open` gave. */
export type OpenerAsk =
  | { kind: 'open'; batchId: string; job: QueuedBatch }
  | { kind: 'request_ids'; batch: number; unique: readonly UniqueRange[] }
  | { kind: 'block'; batch: number; ranges: readonly RowRange[] }
  | { kind: 'keep'; batch: number; rows: readonly number[] }
  | { kind: 'close'; batch: number };

/** Answer to `open`. */
export type Opened =
  | { batch: number; rows: number; rateLimits: readonly KeyRateLimit[]; geoBuiltAtMs: number }
  /** The payload is not a batch, and why. */
  | { unreadable: string };
