import { gunzipSync, gzipSync } from 'node:zlib';
import { LOGS, TRACES } from './otlp.ts';
import { otlpProtobuf } from './protobuf-writer.ts';
import type { Sample } from './sample.ts';

/** A raw key that must be found nowhere after it was taken in. */
export const CANARY = 'kt_secret_CANARY7f3a9Q';

/** Every copy of a value in which one text is replaced by the secret, alone, behind and within other text. */
function* planted(value: unknown): Generator<unknown> {
  if (typeof value === 'string') {
    yield CANARY;
    yield `${value} ${CANARY}`;
    yield `${value}/${CANARY}?token=${CANARY}&${CANARY}`;
    yield `{"password":"${CANARY}"}`;
    yield `Bearer ${CANARY}`;
    // Lines and documents inside a text have fields of their own.
    if (value.startsWith('{')) for (const inner of planted(JSON.parse(value))) yield JSON.stringify(inner);
    else if (/^[A-Za-z0-9+/]{40,}=*$/.test(value)) yield* plantedInBase64(value);
    else if (value.length > 60) yield* plantedInLine(value);
  } else if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) for (const one of planted(value[i])) yield value.with(i, one);
  } else if (typeof value === 'object' && value !== null) {
    for (const [name, old] of Object.entries(value)) for (const one of planted(old)) yield { ...value, [name]: one };
    yield { ...value, [CANARY]: CANARY };
  }
}

/** What Firehose carries: base 64, of gzip where CloudWatch Logs sent it. */
function* plantedInBase64(value: string): Generator<string> {
  const bytes = Buffer.from(value, 'base64');
  const isGzip = bytes[0] === 0x1f && bytes[1] === 0x8b;
  const text = (isGzip ? gunzipSync(bytes) : bytes).toString('utf8').trim();
  if (!text.startsWith('{') || text.includes('}{')) return;
  for (const one of planted(JSON.parse(text))) {
    const json = JSON.stringify(one);
    yield (isGzip ? gzipSync(json) : Buffer.from(json)).toString('base64');
  }
}

/** Every copy of a log line in which one word is the secret. */
function* plantedInLine(line: string): Generator<string> {
  for (const { index, 0: word } of line.matchAll(/[^\s"[\]]+/g)) {
    yield line.slice(0, index) + CANARY + line.slice(index + word.length);
  }
}

/** Copies of a sample's payload in which one field each holds the secret. */
export function* plantedPayloads(sample: Sample): Generator<string | Buffer> {
  const text = sample.body.toString();
  if (sample.contentType?.includes('protobuf')) {
    for (const request of [TRACES, LOGS]) for (const one of planted(request)) yield protobufOrNothing(one);
  } else if (sample.contentType === 'text/plain') {
    for (const line of text.split('\n')) yield* plantedInLine(line);
  } else if (/^\s*[[{]/.test(text)) {
    let whole: unknown;
    try {
      whole = JSON.parse(text);
    } catch {
      for (const line of text.split('\n')) if (line.startsWith('{')) yield* linesWith(line);
      return;
    }
    for (const one of planted(whole)) yield JSON.stringify(one);
  }
}

function* linesWith(line: string): Generator<string> {
  try {
    for (const one of planted(JSON.parse(line))) yield JSON.stringify(one);
  } catch {
    // A broken or concatenated line of the table: its parts are planted by other samples.
  }
}

/** A secret in a number or an id cannot be encoded at all. */
function protobufOrNothing(request: unknown): Buffer {
  try {
    return otlpProtobuf(request);
  } catch {
    return Buffer.alloc(0);
  }
}
