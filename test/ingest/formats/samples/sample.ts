import type { FormatOptions, FormatPayload } from '../../../../ingest/formats/format.ts';
import type { RecordError, RecordInput } from '../../../../ingest/record.ts';

/** Time of receipt in all tables. */
export const NOW_MS = Date.UTC(2026, 0, 15, 10, 0, 0);
/** 2026-01-15T09:59:58.250Z, the start of most sample requests. */
export const START_MS = NOW_MS - 1750;

/** One payload as a gateway sends it, and what must become of it. */
export interface Sample {
  title: string;
  format: string;
  body: string | Buffer;
  contentType?: string;
  headers?: Record<string, string>;
  options?: Partial<FormatOptions>;
  records: RecordInput[];
  rejects?: RecordError[];
  skipped?: number;
  requestId?: string;
}

export function payloadOf(sample: Pick<Sample, 'body' | 'contentType' | 'headers'>): FormatPayload {
  return {
    body: Buffer.from(sample.body as string),
    contentType: sample.contentType ?? 'application/json',
    headers: sample.headers ?? {},
    nowMs: NOW_MS,
  };
}

export function optionsOf(sample: Pick<Sample, 'options'>): FormatOptions {
  return { keySources: [], ...sample.options };
}

/** A JWT nobody signed, with these claims. */
export function jwtWith(claims: object): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  return `${part({ alg: 'RS256', typ: 'JWT' })}.${part(claims)}.c2lnbmF0dXJl`;
}
