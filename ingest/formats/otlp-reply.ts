import type { RecordError } from '../record.ts';
import { varintBytes } from './protobuf-reader.ts';

/** Reply to an OTLP export, status 200. */
export interface OtlpReply {
  contentType: 'application/json' | 'application/x-protobuf';
  body: Buffer;
}

/**
 * The reply to an export that was taken: empty, or `partialSuccess` where entries were refused. A client must not send a
 * partly successful export again, and the reply's content type must be the request's.
 *
 * @param contentType the request's
 * @param rejected number of spans or log records not counted; skipped ones are not among them
 */
export function otlpReply(contentType: string, kind: 'traces' | 'logs', rejected: number, message: string): OtlpReply {
  if (contentType.includes('json')) {
    const countField = kind === 'traces' ? 'rejectedSpans' : 'rejectedLogRecords';
    const reply = rejected === 0 ? {} : { partialSuccess: { [countField]: String(rejected), errorMessage: message } };
    return { contentType: 'application/json', body: Buffer.from(JSON.stringify(reply)) };
  }
  if (rejected === 0) return { contentType: 'application/x-protobuf', body: Buffer.alloc(0) };
  const text = Buffer.from(message);
  // partial_success = 1 { rejected_… = 1 (int64), error_message = 2 (string) }, the same for both kinds.
  const partial = Buffer.concat([
    Buffer.from([0x08, ...varintBytes(rejected), 0x12, ...varintBytes(text.length)]),
    text,
  ]);
  const head = Buffer.from([0x0a, ...varintBytes(partial.length)]);
  return { contentType: 'application/x-protobuf', body: Buffer.concat([head, partial]) };
}

/** One sentence for `errorMessage`: the first few reasons, so that a full export does not make a full page. */
export function rejectSummary(rejects: readonly RecordError[]): string {
  const shown = rejects.slice(0, 3).map(({ index, field, message }) => `#${index} ${field} ${message}`.trim());
  return rejects.length > 3 ? `${shown.join('; ')}; and ${rejects.length - 3} more` : shown.join('; ');
}
