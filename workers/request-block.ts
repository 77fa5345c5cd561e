import type { Batch } from '../ingest/batch.ts';
import type { Config } from '../ingest/config.ts';
import { nextTurn } from '../ingest/event-loop.ts';
import { type Geo, UNKNOWN_COUNTRY } from './geo.ts';
import { NativeBlock, type RowRange } from './native-block.ts';
import { storedIp } from './truncate-ip.ts';

/** Columns of `requests`, as {@link requestBlock} writes them. */
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

/** What is looked up or shortened on the way into the store. */
export interface Enrichment {
  geo: Geo;
  ipStorage: Config['IP_STORAGE'];
}

/**
 * Rows of the ranges as one block of `requests`: country looked up, address shortened, batch id and time of receipt added. The same
 * batch always gives the same block. What depends on a value alone is done once per distinct value.
 */
export async function requestBlock(
  batch: Batch,
  batchId: string,
  receivedAtMs: number,
  ranges: readonly RowRange[],
  { geo, ipStorage }: Enrichment,
): Promise<Buffer> {
  const block = new NativeBlock(REQUEST_COLUMNS.length, ranges);
  const text = (name: string, { values, codes }: Batch['keyId']) => block.dictionary(name, values, codes);
  block.dateTime64('timestamp', batch.timestampMs.values);
  text('key_id', batch.keyId);
  text('organization_id', batch.organizationId);
  text('method', batch.method);
  text('route', batch.route);
  await nextTurn();
  text('path', batch.path);
  await nextTurn();
  block.uint16('status', batch.status.values);
  block.nullableFloat32('latency_ms', batch.latencyMs.values);
  await nextTurn();
  block.uint64('request_bytes', batch.requestBytes.values);
  block.uint64('response_bytes', batch.responseBytes.values);
  await nextTurn();
  block.dictionary(
    'ip',
    batch.ip.values.map((ip) => storedIp(ip, ipStorage)),
    batch.ip.codes,
  );
  await nextTurn();
  const countries = countriesOf(batch, (ip) => geo.countryOf(ip));
  block.dictionary('country', countries.values, countries.codes);
  text('user_agent', batch.userAgent);
  await nextTurn();
  block.text('request_id', batch.requestId);
  await nextTurn();
  text('service', batch.service);
  text('environment', batch.environment);
  block.bool('rate_limited', batch.rateLimited.values);
  text('error', batch.error);
  block.constant('batch_id', batchId);
  block.dateTime64('received_at', new Float64Array(batch.rows).fill(receivedAtMs));
  return block.done();
}

/** Country of each row: what the gateway said, else that of the address, else unknown. */
function countriesOf({ rows, ip, country }: Batch, lookUp: (ip: string) => string) {
  const values: string[] = [];
  const known = new Map<string, number>();
  const codeOf = (name: string) => {
    const found = known.get(name);
    if (found !== undefined) return found;
    known.set(name, values.length);
    return values.push(name) - 1;
  };
  const ofIp = Uint32Array.from(ip.values, (address) => codeOf(lookUp(address) || UNKNOWN_COUNTRY));
  const said = Int32Array.from(country.values, (name) => (name === '' ? -1 : codeOf(name)));
  const codes = new Uint32Array(rows);
  for (let row = 0; row < rows; row++) {
    const own = said[country.codes[row]!]!;
    codes[row] = own >= 0 ? own : ofIp[ip.codes[row]!]!;
  }
  return { values, codes };
}
