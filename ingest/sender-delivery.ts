import { randomUUID } from 'node:crypto';
import { halves, type Lines } from './sender-buffer.ts';
import type { HttpConnection } from './sender-http.ts';
import type { SenderSettings } from './sender-options.ts';
import { compress, type Outcome, post } from './sender-post.ts';

/** Why records did not arrive, under the name of their counter. */
export type Loss = 'rejected' | 'failed';

/** What a delivery needs from the sender it works for. */
export interface DeliveryParts {
  settings: SenderSettings;
  connection: HttpConnection;
  /** Ends requests under way when the sender gives up. */
  abort: AbortSignal;
  pause(ms: number, askedFor: boolean): Promise<void>;
  repeated(): void;
  arrived(count: number): void;
  lost(loss: Loss, count: number, message: string, status?: number, cause?: unknown): void;
}

/** Records that travel together under one Idempotency-Key, which stays the same when they are sent again. */
interface Batch {
  id: string;
  lines: Lines;
  since: number;
}

type Final = Exclude<Outcome, { kind: 'retry' | 'too-large' }>;

const MAX_BACKOFF_MS = 30_000;

/** Sends records until the fate of each is known and counted. Never throws. */
export function deliver(parts: DeliveryParts, lines: Lines): Promise<void> {
  return deliverBatch(parts, { id: randomUUID(), lines, since: Date.now() });
}

async function deliverBatch(parts: DeliveryParts, batch: Batch): Promise<void> {
  const { records } = batch.lines;
  const body = await compress(batch.lines.body).catch((error: Error) => error);
  if (body instanceof Error) return parts.lost('failed', records, 'the batch could not be compressed', undefined, body);
  for (let attempt = 1; ; attempt++) {
    const outcome = await post(parts.connection, parts.settings, body, batch.id, parts.abort);
    if (outcome.kind === 'too-large') return split(parts, batch);
    if (outcome.kind !== 'retry') return count(parts, records, outcome);
    if (Date.now() - batch.since < parts.settings.retryForMs && !parts.abort.aborted) {
      const askedFor = outcome.afterMs !== undefined;
      await parts.pause(outcome.afterMs ?? backoffMs(parts.settings.retryBaseMs, attempt), askedFor);
      if (!parts.abort.aborted) {
        parts.repeated();
        continue;
      }
    }
    return parts.lost('failed', records, outcome.message, outcome.status, outcome.cause);
  }
}

/** Each half has its own key, made from the whole's: a repeat that is split again is recognised again. */
async function split(parts: DeliveryParts, { id, lines, since }: Batch): Promise<void> {
  if (lines.records === 1) return parts.lost('rejected', 1, '413 a single record is too large', 413);
  const [first, second] = halves(lines);
  await deliverBatch(parts, { id: `${id}.0`, lines: first, since });
  await deliverBatch(parts, { id: `${id}.1`, lines: second, since });
}

function count(parts: DeliveryParts, records: number, outcome: Final): void {
  if (outcome.kind === 'refused') {
    parts.lost('rejected', records, outcome.message, outcome.status);
    return;
  }
  const rejected = Math.min(records, outcome.rejected);
  parts.arrived(records - rejected);
  if (rejected > 0) parts.lost('rejected', rejected, outcome.message);
}

/** Doubles, and is spread over its second half: many gateways that lost one Keytally must not return in one moment. */
function backoffMs(baseMs: number, attempt: number): number {
  const full = Math.min(MAX_BACKOFF_MS, baseMs * 2 ** Math.min(attempt - 1, 20));
  return full / 2 + (Math.random() * full) / 2;
}
