import type { Batch } from '../ingest/batch.ts';
import { type Enrichment, REQUEST_COLUMNS } from './request-block.ts';
import { storedIp } from './truncate-ip.ts';

// biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters that separate fields and rows.
const SPECIAL = /[\\\t\n\r\u0000]/g;
const ESCAPES: Record<string, string> = { '\\': '\\\\', '\t': '\\t', '\n': '\\n', '\r': '\\r', '\u0000': '\\0' };

/** Text as a field of TabSeparated. */
function escapeField(text: string): string {
  return text.replace(SPECIAL, (character) => ESCAPES[character]!);
}

/**
 * One row of a batch as it would stand in `requests`, TabSeparated in the order of {@link REQUEST_COLUMNS}: what people see of a
 * dead letter.
 */
export function sampleRow(
  batch: Batch,
  batchId: string,
  receivedAtMs: number,
  row: number,
  { geo, ipStorage }: Enrichment,
): string {
  const ip = batch.ip.at(row);
  const latencyMs = batch.latencyMs.at(row);
  const fields: Record<(typeof REQUEST_COLUMNS)[number], string | number> = {
    timestamp: batch.timestampMs.at(row) / 1000,
    key_id: batch.keyId.at(row),
    organization_id: batch.organizationId.at(row),
    method: batch.method.at(row),
    route: batch.route.at(row),
    path: batch.path.at(row),
    status: batch.status.at(row),
    latency_ms: Number.isNaN(latencyMs) ? '' : latencyMs,
    request_bytes: batch.requestBytes.at(row),
    response_bytes: batch.responseBytes.at(row),
    ip: storedIp(ip, ipStorage),
    country: batch.country.at(row) || geo.countryOf(ip),
    user_agent: batch.userAgent.at(row),
    request_id: batch.requestId[row]!,
    service: batch.service.at(row),
    environment: batch.environment.at(row),
    rate_limited: batch.rateLimited.at(row),
    error: batch.error.at(row),
    batch_id: batchId,
    received_at: receivedAtMs / 1000,
  };
  return `${REQUEST_COLUMNS.map((name) => escapeField(String(fields[name]))).join('\t')}\n`;
}
