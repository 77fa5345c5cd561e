import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import type { RecordError, RecordInput } from '../record.ts';

/** What became of a POST. */
export interface PostAnswer {
  accepted: number;
  rejected: number;
  /** The first of those rejected; `index` counts the records that were sent. */
  errors: RecordError[];
}

interface ServerAnswer extends Partial<PostAnswer> {
  detail?: string;
}

const TRIES = 8;
const FIRST_RETRY_MS = 500;

/**
 * Sends records under an Idempotency-Key.
 * @throws Error of one line when the server refuses the request as a whole
 */
export async function postRecords(
  { url, token }: { url: string; token: string },
  idempotencyKey: string,
  records: readonly RecordInput[],
): Promise<PostAnswer> {
  const body = gzipSync(records.map((record) => JSON.stringify(record)).join('\n'), { level: 1 });
  const headers = {
    Authorization: `Bearer ${token}`,
    'Content-Type': 'application/x-ndjson',
    'Content-Encoding': 'gzip',
    'Idempotency-Key': idempotencyKey,
  };
  const { status, answer } = await postRepeatedly(`${url}/v1/requests`, headers, body);
  const allRejected = status === 400 && answer.rejected !== undefined;
  if (status !== 202 && !allRejected)
    throw new Error(`${url} answered ${status}: ${answer.detail ?? 'no reason given'}`);
  return { accepted: answer.accepted ?? 0, rejected: answer.rejected ?? 0, errors: answer.errors ?? [] };
}

/** A server that is away or full is waited for; the same key makes the repeat harmless. */
async function postRepeatedly(
  url: string,
  headers: Record<string, string>,
  body: Buffer,
): Promise<{ status: number; answer: ServerAnswer }> {
  for (let attempt = 1; ; attempt++) {
    let reason: string;
    try {
      const response = await fetch(url, { method: 'POST', headers, body: new Uint8Array(body) });
      if (response.status !== 429 && response.status < 500) {
        return { status: response.status, answer: (await response.json()) as ServerAnswer };
      }
      reason = `answered ${response.status}`;
      await response.arrayBuffer();
    } catch (error) {
      reason = (error as Error & { cause?: Error }).cause?.message ?? (error as Error).message;
    }
    if (attempt === TRIES) throw new Error(`${url}: ${reason}, ${TRIES} times; run the same command again to go on`);
    await sleep(FIRST_RETRY_MS * 2 ** (attempt - 1));
  }
}
