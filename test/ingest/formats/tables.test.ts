import { describe, expect, it } from 'vitest';
import { FORMAT_NAMES, formatByName } from '../../../ingest/formats/registry.ts';
import { isRecordError, parseRecord } from '../../../ingest/record.ts';
import { SAMPLES } from './samples/all.ts';
import { NOW_MS, optionsOf, payloadOf, type Sample } from './samples/sample.ts';

const WINDOW = { pastMs: 30 * 86_400_000, futureMs: 600_000 };

/** Records stand where nothing was rejected; where entries are skipped as well, somewhere there, in order. */
function expectedIndexes({ records, rejects = [], skipped = 0 }: Sample, found: readonly number[]): number[] {
  const entries = records.length + rejects.length + skipped;
  const free = Array.from({ length: entries }, (_, at) => at).filter(
    (at) => !rejects.some(({ index }) => index === at),
  );
  const left = skipped === 0 ? free : free.filter((at) => found.includes(at));
  expect(left).toHaveLength(records.length);
  return left;
}

describe.each(FORMAT_NAMES.filter((name) => name !== 'auto'))('%s', (name) => {
  const samples = SAMPLES.filter((sample) => sample.format === name);

  it('has a table', () => expect(samples.length).toBeGreaterThan(0));

  it.each(samples)('$title', (sample) => {
    const result = formatByName(name)?.parse(payloadOf(sample), optionsOf(sample));
    expect(result).toEqual({
      records: sample.records,
      indexes: expectedIndexes(sample, result!.indexes),
      rejects: sample.rejects ?? [],
      skipped: sample.skipped ?? 0,
      ...(sample.requestId === undefined ? undefined : { requestId: sample.requestId }),
    });
  });

  it.each(samples)('what it accepts passes the record’s own validation: $title', (sample) => {
    const result = formatByName(name)?.parse(payloadOf(sample), optionsOf(sample));
    const refused = result?.records
      .map((record, index) => parseRecord(record, index, NOW_MS, WINDOW))
      .filter(isRecordError);
    expect(refused).toEqual([]);
  });
});

describe('auto', () => {
  // Lines alone cannot tell nginx from Apache; broken payloads have nothing to recognise.
  const asked = SAMPLES.filter(({ format, records }) => format !== 'apache' && records.length > 0);

  it.each(asked)('recognises $format: $title', (sample) => {
    const { format, records } = sample;
    const result = formatByName('auto')?.parse(payloadOf(sample), optionsOf(sample));
    // A protobuf body does not say whether it holds traces or logs; its address does.
    const isProtobufLog = format === 'otlp-logs' && sample.contentType !== undefined;
    // Entries in names of another format are that format: nobody can tell who sent them.
    const others: Record<string, string> = { 'a log_format of its own, in names of nginx': 'nginx' };
    if (isProtobufLog) return;
    expect(result?.format).toBe(others[sample.title] ?? format);
    expect(result?.records).toEqual(records);
  });

  it('says so when it knows nothing, and rejects every entry', () => {
    const payload = payloadOf({ body: 'one\ntwo\n{"a":1}', contentType: 'text/plain' });
    expect(formatByName('auto')?.parse(payload, { keySources: [] })).toEqual({
      format: '',
      records: [],
      indexes: [],
      rejects: [
        { index: 0, field: '', message: 'is a line of no known log format' },
        { index: 1, field: '', message: 'is a line of no known log format' },
        { index: 2, field: '', message: 'is an entry of no known format' },
      ],
      skipped: 0,
    });
  });
});
