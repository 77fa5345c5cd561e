import { expect, test } from 'vitest';
import { firstLingerMs, lingersOn } from '../../ingest/linger.ts';
import { waitsForAnswer } from '../../ingest/sender-pace.ts';

test.each([
  ['steady traffic waits in full', 250, 100, 250],
  ['the last batch was a second ago', 250, 1_000, 250],
  ['after a pause nobody is expected', 250, 1_001, 50],
  ['no lingering is no lingering', 0, 5_000, 0],
])('%s', (_, lingerMs, sinceLastBatchMs, expected) => {
  expect(firstLingerMs(lingerMs, sinceLastBatchMs)).toBe(expected);
});

const batch = { ageMs: 250, waiting: 0, arrivals: 3, isWaitedFor: false };
test.each([
  ['others come and nobody waits: it goes on gathering', {}, true],
  ['nobody came in the last round', { arrivals: 0 }, false],
  ['a sender waits for the answer', { isWaitedFor: true }, false],
  ['a sender waits, but so do batches before it', { isWaitedFor: true, waiting: 1 }, true],
  ['nobody came, but batches wait before it', { arrivals: 0, waiting: 1 }, true],
  ['its last round', { ageMs: 505 }, true],
  ['after three rounds it is handed over whatever waits', { ageMs: 755, waiting: 9 }, false],
])('%s', (_, changed, expected) => {
  expect(lingersOn({ ...batch, ...changed }, 250)).toBe(expected);
});

test('a shorter lingering makes shorter rounds, none makes none', () => {
  expect(lingersOn({ ...batch, ageMs: 41 }, 20)).toBe(true);
  expect(lingersOn({ ...batch, ageMs: 61 }, 20)).toBe(false);
  expect(lingersOn({ ...batch, ageMs: 1 }, 0)).toBe(false);
});

test.each([
  ['nothing is known of a new connection', undefined, true],
  ['the next request was ready', 99, true],
  ['the sender has a rhythm of its own', 100, false],
])('%s', (_, sinceAnswerMs, expected) => {
  expect(waitsForAnswer(sinceAnswerMs)).toBe(expected);
});
