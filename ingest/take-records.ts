import type { Claim } from './gatherer.ts';
import type { IntakeTools } from './intake.ts';
import { recordsReceived } from './metrics.ts';
import { overloaded, Problem } from './problem.ts';
import type { RecordError } from './record.ts';
import type { ParsedBody } from './records-body.ts';
import { sha256, type TokenGrant } from './token.ts';

/** Errors named one by one in an answer; `rejected` always counts them all. */
const MAX_ERRORS_SHOWN = 100;
const IDEMPOTENCY_KEY = /^[\x21-\x7e]{1,255}$/;

/** Answer of `POST /v1/requests`. */
export interface IngestAnswer {
  batch_id: string;
  accepted: number;
  rejected: number;
  errors: RecordError[];
}

/**
 * Takes parsed records to the queue: the common end of every ingest route.
 * @throws {Problem} 400 when no record is valid, 503 when the queue does not take them
 */
export async function takeRecords(
  tools: IntakeTools,
  parsed: ParsedBody,
  grant: TokenGrant,
  sent: { claim: Claim; byRequestId: boolean; isTimeless: boolean; isWaitedFor: boolean; format: string },
): Promise<IngestAnswer> {
  const origin = {
    organizationId: grant.organizationId,
    claim: sent.claim,
    isWaitedFor: sent.isWaitedFor,
    uniqueCaller: sent.byRequestId ? grant.id : '',
    isTimeless: sent.isTimeless,
  };
  const { records } = parsed;
  const foreign = await tools.acceptance.accept(records, grant).catch((error) => {
    throw error instanceof Problem ? error : overloaded('the key index cannot be read');
  });
  const errors = [...parsed.errors, ...foreign].sort((a, b) => a.index - b.index);
  recordsReceived.inc({ outcome: 'rejected' }, errors.length);
  const shown = errors.slice(0, MAX_ERRORS_SHOWN);
  const source = { organizationId: grant.organizationId, format: sent.format };
  const count = records.rows;
  if (count === 0) {
    tools.sources.note(source, 0, errors);
    throw new Problem(400, 'No valid record', 'every record was rejected', {
      extra: { accepted: 0, rejected: errors.length, errors: shown },
    });
  }
  const batchId = await tools.gatherer.add(records, origin).catch((error) => {
    recordsReceived.inc({ outcome: 'refused_overload' }, count);
    throw error;
  });
  recordsReceived.inc({ outcome: 'accepted' }, count);
  tools.sources.note(source, count, errors);
  return { batch_id: batchId, accepted: count, rejected: errors.length, errors: shown };
}

/** A repeated POST is recognised for a day after the first one; a chunk of an imported log for as long as times are accepted. */
const CLAIM_SECONDS = 86_400;
const IMPORT_CLAIM_SECONDS = 400 * 86_400;
/** As `keytally import` names its chunks (`import/import-log.ts`): by their content. A sender's own name may be used anew every day. */
const IMPORTED_CHUNK = /^import-[0-9a-f]{64}$/;

/** Identity of a retried POST: the caller and the key it sent; undefined when it sent none. */
export function claimOf(grant: TokenGrant, idempotencyKey: string | undefined): Claim {
  if (idempotencyKey === undefined) return undefined;
  if (!IDEMPOTENCY_KEY.test(idempotencyKey)) {
    throw new Problem(400, 'Bad Idempotency-Key', 'Idempotency-Key must be 1 to 255 visible ASCII characters');
  }
  const imported = IMPORTED_CHUNK.test(idempotencyKey);
  return {
    id: sha256(`${grant.id}\n${idempotencyKey}`).slice(0, 40),
    keepSeconds: imported ? IMPORT_CLAIM_SECONDS : CLAIM_SECONDS,
  };
}
