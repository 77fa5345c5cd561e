import { describe, expect, it } from 'vitest';
import { NO_KEY } from '../../../ingest/formats/format.ts';
import { FORMAT_NAMES, formatByName } from '../../../ingest/formats/registry.ts';
import type { RecordInput } from '../../../ingest/record.ts';
import { redactPath } from '../../../ingest/redact-path.ts';
import { redactText } from '../../../ingest/redact-text.ts';
import { SAMPLES } from './samples/all.ts';
import { CANARY, plantedPayloads } from './samples/planted.ts';
import { optionsOf, payloadOf } from './samples/sample.ts';

/** A record as the core keeps it: the key hashed, the path and all texts redacted. */
function asKept(record: RecordInput): object {
  const text = (value: string | null | undefined): string => redactText(value ?? '');
  const { key: _hashed, path, user_agent, error, request_id, service, route, environment, ...rest } = record;
  return {
    ...rest,
    path: redactPath(path ?? ''),
    texts: [text(user_agent), text(error), text(request_id), text(service), text(route), text(environment)],
  };
}

describe.each(FORMAT_NAMES.filter((name) => name !== 'auto'))('%s', (name) => {
  it('keeps a secret planted in any field nowhere but in the hashed key', () => {
    let payloads = 0;
    let keys = 0;
    for (const sample of SAMPLES.filter(({ format }) => format === name)) {
      for (const body of plantedPayloads(sample)) {
        payloads++;
        const result = formatByName(name)!.parse(payloadOf({ ...sample, body }), optionsOf(sample));
        for (const record of result.records) {
          if (record.key?.includes('CANARY')) keys++;
          expect(JSON.stringify(asKept(record))).not.toContain('CANARY');
        }
        // Rejects are answered and logged: they name fields and never repeat values.
        expect(JSON.stringify([result.rejects, result.format])).not.toContain('CANARY');
      }
    }
    expect(payloads).toBeGreaterThan(10);
    expect(keys).toBeGreaterThan(0);
  });
});

it('a raw key in the place of an id is hashed, not kept as id', () => {
  const body = JSON.stringify({ requestId: 'r', status: '200', httpMethod: 'GET', apiKeyId: CANARY });
  const { records } = formatByName('aws-apigateway')!.parse(payloadOf({ body }), { keySources: [] });
  expect(records[0]).toMatchObject({ key: CANARY });
  expect(records[0]?.key_id).toBeUndefined();
  expect(records[0]?.key_id).not.toBe(NO_KEY);
});
