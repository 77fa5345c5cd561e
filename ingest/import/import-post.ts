import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import type { RecordError, RecordInput } from '../record.ts';
import { ImportError } from './import-error.ts';

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
 * @throws {ImportError} when the server refuses the request as a whole
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
  const { status, text } = await postRepeatedly(`${url}/v1/requests`, headers, body);
  const answer = parsed(text);
  if (answer === undefined) throw new ImportError(`${url} does not answer as Keytally (${status}): see --url`);
  const allRejected = status === 400 && answer.rejected !== undefined;
  if (status !== 202 && !allRejected)
    throw new ImportError(`${url} answered ${status}: ${answer.detail ?? 'no reason given'}`);
  return { accepted: answer.accepted ?? 0, rejected: answer.rejected ?? 0, errors: answer.errors ?? [] };
}

/** A server that is away or full is waited for; the same key makes the repeat harmless. */
async function postRepeatedly(
  url: string,
  headers: Record<string, string>,
  body: Buffer,
): Promise<{ status: number; text: string }> {
  for (let attempt = 1; ; attempt++) {
    let reason: string;
    try {
      const response = await fetch(url, { method: 'POST', headers, body: new Uint8Array(body) });
      const text = await response.text();
      if (response.status !== 429 && response.status < 500) return { status: response.status, text };
      reason = `answered ${response.status}`;
    } catch (error) {
      reason = (error as Error & { cause?: Error }).cause?.message ?? (error as Error).message;
    }
    if (attempt === TRIES)
      throw new ImportError(`${url}: ${reason}, ${TRIES} times; run the same command again to go on`);
    await sleep(FIRST_RETRY_MS * 2 ** (attempt - 1));
  }
}

/** undefined when this is not what Keytally answers, such as the page of another server. */
function parsed(text: string): ServerAnswer | undefined {
  try {
    const answer: unknown = JSON.parse(text);
    return typeof answer === 'object' && answer !== null ? answer : undefined;
  } catch {
    return undefined;
  }
}
