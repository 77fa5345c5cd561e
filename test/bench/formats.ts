import { FORMAT_NAMES, formatByName } from '../../ingest/formats/registry.ts';
import { SAMPLES } from '../ingest/formats/samples/all.ts';
import { AWS_REST_ENTRY } from '../ingest/formats/samples/aws.ts';
import { optionsOf, payloadOf, type Sample } from '../ingest/formats/samples/sample.ts';

const TARGET_RECORDS = 2_000;
const ROUNDS = 60;
/** Largest export of an SDK's batch processor by default. */
const OTLP_BATCH_ITEMS = 512;

/** A payload of about {@link TARGET_RECORDS} records, made of the format's own sample. */
function enlarged(sample: Sample): Buffer | undefined {
  const text = sample.body.toString();
  const copies = Math.ceil(TARGET_RECORDS / sample.records.length);
  if (/^\s*\[/.test(text))
    return Buffer.from(JSON.stringify(Array.from({ length: copies }, () => JSON.parse(text)).flat()));
  if (text.includes('"resourceSpans"')) return enlargedOtlp(text, 'resourceSpans', 'scopeSpans', 'spans', copies);
  if (text.includes('"resourceLogs"')) return enlargedOtlp(text, 'resourceLogs', 'scopeLogs', 'logRecords', copies);
  if (sample.contentType?.includes('protobuf'))
    return Buffer.concat(Array.from({ length: copies }, () => Buffer.from(sample.body as Buffer)));
  return Buffer.from(Array.from({ length: copies }, () => text.trimEnd()).join('\n'));
}

/** As SDKs export: one resource, {@link OTLP_BATCH_ITEMS} spans or log records. */
function enlargedOtlp(text: string, outer: string, scope: string, items: string, copies: number): Buffer {
  const body = JSON.parse(text);
  const first = body[outer][0];
  const list = first[scope][0][items];
  const many = Array.from({ length: Math.min(copies, Math.ceil(OTLP_BATCH_ITEMS / list.length)) }, () => list).flat();
  return Buffer.from(JSON.stringify({ [outer]: [{ ...first, [scope]: [{ ...first[scope][0], [items]: many }] }] }));
}

/** A delivery as API Gateway makes it: each log line is one record. */
function firehoseDelivery(): Buffer {
  const data = Buffer.from(`${JSON.stringify(AWS_REST_ENTRY)}\n`).toString('base64');
  const records = Array.from({ length: TARGET_RECORDS }, () => ({ data }));
  return Buffer.from(JSON.stringify({ requestId: 'r', timestamp: 0, records }));
}

/** Half documents and broken lines are for the tests. */
function wellFormed({ title, rejects }: Sample): boolean {
  return !/^half|gzip/.test(title) && (rejects ?? []).every(({ field }) => field !== '' && field !== 'data');
}

interface Case {
  name: string;
  sample: Sample;
  body: Buffer;
}

/** One payload per format; OTLP in both of its encodings. */
function cases(): Case[] {
  const found: Case[] = [];
  for (const name of FORMAT_NAMES.filter((candidate) => candidate !== 'auto')) {
    const usable = SAMPLES.filter((one) => one.format === name && one.records.length > 0);
    const encodings = name.startsWith('otlp') ? ['protobuf', 'json'] : [''];
    for (const encoding of encodings) {
      const sample = usable.find(
        (one) =>
          name === 'firehose' || ((one.contentType ?? 'json').includes(encoding) && !one.options && wellFormed(one)),
      );
      if (!sample) continue;
      const body = name === 'firehose' ? firehoseDelivery() : enlarged(sample);
      if (body) found.push({ name: encoding ? `${name} (${encoding})` : name, sample, body });
    }
  }
  return found;
}

/** Entries per second and core that each format's parser reads: best of several rounds. */
export async function benchFormats(say: (line: string) => void): Promise<Record<string, number>> {
  const rates: Record<string, number> = {};
  for (const { name, sample, body } of cases()) {
    const format = formatByName(sample.format)!;
    const payload = { ...payloadOf(sample), body };
    let best = 0;
    for (let round = 0; round < ROUNDS; round++) {
      const startedAt = performance.now();
      const { records, skipped, rejects } = format.parse(payload, optionsOf(sample));
      best = Math.max(best, ((records.length + skipped + rejects.length) / (performance.now() - startedAt)) * 1000);
    }
    rates[name] = Math.round(best);
    say(`${name}: ${rates[name]} entries/s (${sample.title})`);
  }
  return rates;
}
