import { expect, test } from 'vitest';
import { entersNew } from '../../../../workers/alerts/evaluation/progress.ts';

const MINUTE_MS = 60_000;

test.each([
  ['the first look of a minute', 59_000, 60_000, true],
  ['the first slot was left out', 59_000, 73_000, true],
  ['minutes were left out', 59_000, 400_000, true],
  ['a look in the same minute', 60_000, 65_000, false],
  ['the same look again', 60_000, 60_000, false],
  ['a clock that was ahead', 86_400_000, 61_000, true],
])('once per minute: %s', (_title, last, now, due) => expect(entersNew(MINUTE_MS, last, now)).toBe(due));
