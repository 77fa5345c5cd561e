import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { farthest, type LogPosition, resumedIn } from '../../ingest/import/log-position.ts';

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
const LOG = 'one\ntwo\nthree\nfo';

/** Where somebody stopped who had read this much, with `more` sent as a line without an end. */
function read(text: string, more?: string, isTaken = true): LogPosition {
  const position = { offset: text.length, line: text.split('\n').length, sha256: sha256(text) };
  if (more === undefined) return position;
  const unfinished = { id: 'id', endOffset: text.length + more.length, sha256: sha256(text + more), isTaken };
  return { ...position, unfinished };
}

describe('where to go on', () => {
  const cases: [string, LogPosition[], { offset: number; line: number } | undefined, LogPosition][] = [
    ['nothing known', [], undefined, read('')],
    [
      'the farthest place with the same bytes before it',
      [read('one\n'), read('one\ntwo\n')],
      undefined,
      read('one\ntwo\n'),
    ],
    ['not that of another log with the same first line', [read('one\nTWO\n')], undefined, read('')],
    ['not one that the log does not reach any more', [read(`${LOG}ur\n`), read('one\n')], undefined, read('one\n')],
    ['a line that was sent without its end', [read('one\n', 'tw')], undefined, read('one\n', 'tw')],
    ['not when it was another line', [read('one\n', 'TW')], undefined, read('one\n')],
    ['the one of two that knows the line', [read('one\n'), read('one\n', 'tw')], undefined, read('one\n', 'tw')],
    ['a first line that was sent without its end', [read('', 'on')], undefined, read('', 'on')],
    ['of the version before', [], { offset: 8, line: 3 }, read('one\ntwo\n')],
    ['of the version before, of a longer log', [], { offset: 99, line: 3 }, read('')],
    ['what is checked comes first', [read('one\n')], { offset: 8, line: 3 }, read('one\n')],
  ];
  test.each(cases)('%s', async (_, known, unchecked, expected) => {
    const { position, hash } = await resumedIn(
      () => Readable.from([...LOG].map((c) => Buffer.from(c))),
      known,
      unchecked,
    );
    expect(position).toEqual(expected);
    expect(hash.digest('hex')).toBe(expected.sha256);
  });
});

test('a line sent without its end counts only where all of its bytes are there', () => {
  const known = [read('one\n', 'tw')];
  const before = new Map([[4, sha256('one\n')]]);
  expect(farthest(known, before)).toEqual(read('one\n'));
  expect(farthest(known, new Map([...before, [6, sha256('one\ntw')]]))).toEqual(known[0]);
});
