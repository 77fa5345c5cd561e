import { FORMAT_NAMES, formatByName } from '../../ingest/formats/registry.ts';
import { SAMPLES } from '../ingest/formats/samples/all.ts';
import { optionsOf, payloadOf, type Sample } from '../ingest/formats/samples/sample.ts';

const TARGET_RECORDS = 2_000;
const ROUNDS = 12;

/** A payload of about {@link TARGET_RECORDS} records, made of the format's own sample. */
function enlarged(sample: Sample): Buffer | undefined {
  const text = sample.body.toString();
  const copies = Math.ceil(TARGET_RECORDS / sample.records.length);
  if (/^\s*\[/.test(text))
    return Buffer.from(JSON.stringify(Array.from({ length: copies }, () => JSON.parse(text)).flat()));
  if (text.includes('"resourceSpans"')) return enlargedOtlp(text, 'resourceSpans', 'scopeSpans', 'spans', copies);
  if (text.includes('"resourceLogs"')) return enlargedOtlp(text, 'resourceLogs', 'scopeLogs', 'logRecords', copies);
  if (sample.format === 'firehose') {
    const body = JSON.parse(text);
    return Buffer.from(JSON.stringify({ ...body, records: Array.from({ length: copies }, () => body.records).flat() }));
  }
  if (sample.contentType?.includes('protobuf'))
    return Buffer.concat(Array.from({ length: copies }, () => Buffer.from(sample.body as Buffer)));
  return Buffer.from(Array.from({ length: copies }, () => text.trimEnd()).join('\n'));
}

/** As exporters batch: a few hundred spans of one resource per request. */
function enlargedOtlp(text: string, outer: string, scope: string, items: string, copies: number): Buffer {
  const body = JSON.parse(text);
  const first = body[outer][0];
  const list = first[scope][0][items];
  const many = Array.from({ length: Math.min(copies, 250) }, () => list).flat();
  return Buffer.from(JSON.stringify({ [outer]: [{ ...first, [scope]: [{ ...first[scope][0], [items]: many }] }] }));
}

/** Records per second and core of each format's parser: best of several rounds over the format's first clean sample. */
export async function benchFormats(say: (line: string) => void): Promise<Record<string, number>> {
  const rates: Record<string, number> = {};
  for (const name of FORMAT_NAMES.filter((candidate) => candidate !== 'auto')) {
    const sample = SAMPLES.find(
      (one) => one.format === name && one.records.length > 0 && !one.rejects?.length && enlarged(one),
    );
    const format = formatByName(name);
    if (!sample || !format) continue;
    const payload = { ...payloadOf(sample), body: enlarged(sample)! };
    let best = 0;
    for (let round = 0; round < ROUNDS; round++) {
      const startedAt = performance.now();
      const { records } = format.parse(payload, optionsOf(sample));
      best = Math.max(best, (records.length / (performance.now() - startedAt)) * 1000);
    }
    rates[name] = Math.round(best);
    say(`${name}: ${rates[name]} records/s (${sample.title})`);
  }
  return rates;
}
