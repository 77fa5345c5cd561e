import type { Batch } from '../ingest/batch.ts';
import type { TextColumn } from '../ingest/column.ts';
import type { Config } from '../ingest/config.ts';
import type { Geo } from './geo.ts';
import { storedIp } from './truncate-ip.ts';

/** Columns of `requests` in the order that {@link rowsOf} writes them. */
export const REQUEST_COLUMNS = [
  'timestamp',
  'key_id',
  'organization_id',
  'method',
  'route',
  'path',
  'status',
  'latency_ms',
  'request_bytes',
  'response_bytes',
  'ip',
  'country',
  'user_agent',
  'request_id',
  'service',
  'environment',
  'rate_limited',
  'error',
  'batch_id',
  'received_at',
] as const;

// biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters that separate fields and rows.
const SPECIAL = /[\\\t\n\r\u0000]/;
const ESCAPES: Record<string, string> = { '\\': '\\\\', '\t': '\\t', '\n': '\\n', '\r': '\\r', '\u0000': '\\0' };
// biome-ignore lint/suspicious/noControlCharactersInRegex: as above.
const SPECIAL_ALL = /[\\\t\n\r\u0000]/g;

/** Text as a field of TabSeparated. */
export function escapeField(text: string): string {
  return SPECIAL.test(text) ? text.replace(SPECIAL_ALL, (character) => ESCAPES[character]!) : text;
}

/** A row range of a batch, `first` included, `end` not. */
export interface RowRange {
  first: number;
  end: number;
}

export interface Enrichment {
  geo: Geo;
  ipStorage: Config['IP_STORAGE'];
}

/** Per-value work, done once: escaping, country and stored form of each distinct address. */
interface Prepared {
  text: Record<
    'keyId' | 'organizationId' | 'method' | 'route' | 'path' | 'userAgent' | 'service' | 'environment' | 'error',
    string[]
  >;
  ip: string[];
  countryOfIp: string[];
  country: string[];
  tail: string;
}

function prepare(batch: Batch, batchId: string, receivedAtMs: number, { geo, ipStorage }: Enrichment): Prepared {
  const escaped = (column: TextColumn) => column.values.map(escapeField);
  return {
    text: {
      keyId: escaped(batch.keyId),
      organizationId: escaped(batch.organizationId),
      method: escaped(batch.method),
      route: escaped(batch.route),
      path: escaped(batch.path),
      userAgent: escaped(batch.userAgent),
      service: escaped(batch.service),
      environment: escaped(batch.environment),
      error: escaped(batch.error),
    },
    ip: batch.ip.values.map((ip) => storedIp(ip, ipStorage)),
    countryOfIp: batch.ip.values.map((ip) => geo.countryOf(ip)),
    country: escaped(batch.country),
    tail: `${escapeField(batchId)}\t${receivedAtMs / 1000}`,
  };
}

/**
 * Rows of the ranges as TabSeparated text: country looked up, address shortened, batch id and time of receipt
 * added. The same batch always gives the same text.
 */
export function rowsOf(
  batch: Batch,
  batchId: string,
  receivedAtMs: number,
  ranges: readonly RowRange[],
  enrichment: Enrichment,
): string {
  const prepared = prepare(batch, batchId, receivedAtMs, enrichment);
  const lines: string[] = [];
  for (const { first, end } of ranges) {
    for (let row = first; row < end; row++) lines.push(line(batch, prepared, row));
  }
  return lines.length === 0 ? '' : `${lines.join('\n')}\n`;
}

function line(batch: Batch, { text, ip, countryOfIp, country, tail }: Prepared, row: number): string {
  const latencyMs = batch.latencyMs.at(row);
  const ipCode = batch.ip.codes[row]!;
  const from = country[batch.country.codes[row]!]! || countryOfIp[ipCode]!;
  return (
    `${batch.timestampMs.at(row) / 1000}\t${text.keyId[batch.keyId.codes[row]!]}` +
    `\t${text.organizationId[batch.organizationId.codes[row]!]}\t${text.method[batch.method.codes[row]!]}` +
    `\t${text.route[batch.route.codes[row]!]}\t${text.path[batch.path.codes[row]!]}\t${batch.status.at(row)}` +
    `\t${Number.isNaN(latencyMs) ? '\\N' : latencyMs}\t${batch.requestBytes.at(row)}\t${batch.responseBytes.at(row)}` +
    `\t${ip[ipCode]}\t${from || 'ZZ'}\t${text.userAgent[batch.userAgent.codes[row]!]}` +
    `\t${escapeField(batch.requestId[row]!)}\t${text.service[batch.service.codes[row]!]}` +
    `\t${text.environment[batch.environment.codes[row]!]}\t${batch.rateLimited.at(row)}` +
    `\t${text.error[batch.error.codes[row]!]}\t${tail}`
  );
}
