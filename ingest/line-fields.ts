import type { ParsedRecords } from './parsed-records.ts';
import { MAX_BYTES, MAX_LATENCY_MS, type RecordInput, TEXT_FIELDS } from './record.ts';

/** How a field's value is written in a line; of `null` fields only null is read here. */
export type FieldKind = 'text' | 'request_id' | 'number' | 'timestamp' | 'flag' | 'null';

/** A field of the wire contract as a line reader reads it. */
export interface LineField {
  name: keyof RecordInput;
  kind: FieldKind;
  /** Numbers: what is accepted. */
  min: number;
  max: number;
  isWhole: boolean;
}

type TextField = keyof typeof TEXT_FIELDS;
/** Fields of text that are coded, and the columns they go to. A raw key is kept as its digest. */
const TEXT_COLUMNS = {
  key_id: 'keyId',
  method: 'method',
  path: 'path',
  route: 'route',
  ip: 'ip',
  country: 'country',
  user_agent: 'userAgent',
  service: 'service',
  environment: 'environment',
  error: 'error',
  key: 'keySha256',
  key_sha256: 'keySha256',
} as const satisfies Partial<Record<TextField, keyof ParsedRecords>>;

function field(name: keyof RecordInput, kind: FieldKind, { min = 0, max = 0, isWhole = false } = {}): LineField {
  return { name, kind, min, max, isWhole };
}

/** A reader names fields by their places in this list. Coded texts come first. */
export const LINE_FIELDS: readonly LineField[] = [
  ...Object.keys(TEXT_COLUMNS).map((name) => field(name as TextField, 'text')),
  field('request_id', 'request_id'),
  field('status', 'number', { min: 100, max: 599, isWhole: true }),
  field('latency_ms', 'number', { max: MAX_LATENCY_MS }),
  field('request_bytes', 'number', { max: MAX_BYTES }),
  field('response_bytes', 'number', { max: MAX_BYTES }),
  field('timestamp', 'timestamp'),
  field('rate_limited', 'flag'),
  field('rate_limit', 'null'),
];

export const placeOf = (name: keyof RecordInput): number => LINE_FIELDS.findIndex((known) => known.name === name);

/** Of each coded text, by its place: what is kept of a value, and which column takes it. */
export const CODED_TEXTS = Object.entries(TEXT_COLUMNS).map(([name, column]) => ({
  kept: TEXT_FIELDS[name as TextField] as (value: string) => string,
  column,
}));
