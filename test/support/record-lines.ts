import fc from 'fast-check';

/** Now, as most lines say it. */
export const LINE_NOW = new Date();
export const LINE_DIGEST = 'AB'.repeat(32);
const ISO = LINE_NOW.toISOString();

const text = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.constantFrom('', 'GET', 'se', '203.0.113.9', '::1', '/v1/a?b=c', LINE_DIGEST, ISO, 'a b'),
  },
  { weight: 6, arbitrary: fc.string({ maxLength: 12 }) },
  fc.string({ unit: 'binary', maxLength: 12 }),
  fc.string({ minLength: 500, maxLength: 520 }),
  fc.constantFrom('a"b', 'a\\b', 'a\u007fb', 'a\tb'),
);
const time = fc.oneof(
  fc.integer({ min: -1e9, max: 1e6 }).map((offset) => LINE_NOW.getTime() + offset),
  fc.integer({ min: -1e9, max: 1e4 }).map((offset) => new Date(LINE_NOW.getTime() + offset).toISOString()),
  fc.nat(999_999_999).map((fraction) => `${ISO.slice(0, 19)}.${fraction}Z`),
);
const number = fc.oneof(
  { weight: 10, arbitrary: fc.nat(700) },
  fc.double({ min: -1, max: 1e9, noNaN: true }),
  { weight: 10, arbitrary: fc.integer({ min: 0, max: 1e7 }).map((thousandths) => thousandths / 1000) },
  fc.constantFrom(0, -0, 100, 599, 600, 86_400_000, 86_400_001, 1_099_511_627_776, 2 ** 53, 1e21, 0.1 + 0.2),
);
const anything = fc.oneof(text, time, number, fc.boolean(), fc.constant(null), fc.jsonValue());
const status = fc.oneof({ weight: 20, arbitrary: fc.constantFrom(200, 404, 429) }, number);

/** Mostly one of these. */
const mostly = (values: string[], else_: fc.Arbitrary<unknown>) =>
  fc.oneof({ weight: 20, arbitrary: fc.constantFrom(...values) }, else_);
const FIELDS: Record<string, fc.Arbitrary<unknown>> = {
  key_id: mostly(['key_1', 'key_2', '7'], text),
  key: mostly(['sk_live_1', 'sk_live_2'], text),
  key_sha256: mostly([LINE_DIGEST, LINE_DIGEST.toLowerCase()], text),
  timestamp: time,
  method: mostly(['GET', 'post', ''], text),
  ...{ path: text, route: text, user_agent: text, request_id: text, service: text, environment: text, error: text },
  ...{ status, latency_ms: number, request_bytes: number, response_bytes: number },
  ip: mostly(['203.0.113.9', '2001:db8::1', 'fe80::1%br-1a2b', ''], text),
  country: mostly(['SE', 'de', ''], text),
  rate_limited: fc.boolean(),
  rate_limit: fc.constantFrom(null, null, { limit: 9, remaining: 1 }),
  pod: fc.oneof(text, number, fc.boolean(), anything),
};
const fieldOf = (name: string) => {
  const usual = { weight: 60, arbitrary: FIELDS[name]! };
  return fc.tuple(fc.constant(name), fc.oneof(usual, anything));
};
const fields = fc
  .uniqueArray(fc.constantFrom(...Object.keys(FIELDS)), { maxLength: 10 })
  .chain((names) => fc.tuple(...names.map(fieldOf)));

/** What every record must have, behind what one has; now and then one has it already. */
const ends = fc.constantFrom(
  [['status', 201]],
  [
    ['key_id', 'k'],
    ['status', 429],
  ],
  [['key_id', 'k']],
  [],
);

/** A record as JSON: mostly as senders write it, with fields in any order, some of them unusual, refused, there twice or missing. */
export const recordLine = fc.tuple(fields, ends, fc.constantFrom('', ' ')).map(([given, end, space]) => {
  const pairs = [...given, ...end].map(([name, value]) => `${JSON.stringify(name)}:${space}${JSON.stringify(value)}`);
  return `{${pairs.join(`,${space}`)}}`;
});

/** The same with one character changed, or cut off. */
export const brokenLine = fc
  .tuple(recordLine, fc.nat(400), fc.constantFrom(...'"\\{}[],: 0e-.x\r'))
  .map(([whole, at, character]) => {
    const place = at % whole.length;
    return character === 'x' ? whole.slice(0, place) : whole.slice(0, place) + character + whole.slice(place + 1);
  });
