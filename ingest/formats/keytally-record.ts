import { type EntryFormat, formatOf } from './entry-format.ts';
import type { FormatOptions } from './format.ts';
import { headerIn, type JsonObject, numberOf, textOf } from './json-value.ts';
import { anyTimeMs } from './log-time.ts';
import { recordOf } from './record-draft.ts';
import type { Mapped } from './refusal.ts';

const NAMES = { status: 'status', timestamp: 'timestamp', latency: 'latency_ms' };

/**
 * Records that a shipper's transform already put into Keytally's own names (Vector's remap, a Lua filter, the `data`
 * of a CloudEvent). More lenient than `/v1/requests`: numbers may be text, the key may come by the source's rules.
 */
export const keytallyEntry: EntryFormat = {
  name: 'keytally',
  isEntry: (entry) =>
    'status' in entry &&
    ('key_id' in entry || 'key' in entry || 'key_sha256' in entry || 'latency_ms' in entry) &&
    !('remote_addr' in entry),
  mapEntry: mapKeytally,
};

function header(entry: JsonObject, name: string): string {
  return headerIn(entry.headers, name);
}

export function mapKeytally(entry: JsonObject, options: FormatOptions): Mapped {
  const rateLimited = entry.rate_limited;
  return recordOf(
    {
      entry,
      names: NAMES,
      header,
      status: numberOf(entry.status),
      timestampMs: anyTimeMs(entry.timestamp),
      latencyMs: numberOf(entry.latency_ms),
      method: textOf(entry.method),
      path: textOf(entry.path),
      route: textOf(entry.route),
      peer: textOf(entry.ip),
      requestBytes: numberOf(entry.request_bytes),
      responseBytes: numberOf(entry.response_bytes),
      userAgent: textOf(entry.user_agent),
      requestId: textOf(entry.request_id),
      service: textOf(entry.service),
      environment: textOf(entry.environment),
      country: textOf(entry.country),
      error: textOf(entry.error),
      ...(typeof rateLimited === 'boolean' ? { rateLimited } : undefined),
      keyId: textOf(entry.key_id),
      rawKey: textOf(entry.key),
      keySha256: textOf(entry.key_sha256),
    },
    options,
  );
}

export const keytallyRecord = formatOf(keytallyEntry);
