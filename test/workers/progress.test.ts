import { expect, test } from 'vitest';
import { LOOK_EVERY_MS } from '../../workers/consumer-watch.ts';
import { NO_PROGRESS_YET, observe, type ProgressSample, STUCK_AFTER_MS, wedged } from '../../workers/progress.ts';

const S = 1_000;

/** [seconds, waiting, own, finished] of each look, and whether the consumer is wedged at the last one. */
const CASES: { title: string; looks: [number, number, number, number][]; wedged: boolean }[] = [
  {
    title: 'nothing to do',
    looks: [
      [0, 0, 0, 0],
      [60, 0, 0, 0],
    ],
    wedged: false,
  },
  {
    title: 'work waits and is not taken',
    looks: [
      [0, 5, 0, 7],
      [5, 5, 0, 7],
      [50, 9, 0, 7],
    ],
    wedged: true,
  },
  {
    title: 'one batch under way for ever',
    looks: [
      [0, 0, 1, 0],
      [30, 0, 1, 0],
      [50, 0, 1, 0],
    ],
    wedged: true,
  },
  {
    title: 'slow but moving',
    looks: [
      [0, 9, 1, 1],
      [40, 9, 1, 2],
      [80, 9, 1, 3],
    ],
    wedged: false,
  },
  {
    title: 'others take everything',
    looks: [
      [0, 3, 0, 4],
      [20, 0, 0, 4],
      [60, 2, 0, 4],
    ],
    wedged: false,
  },
  {
    title: 'moved once, then stuck',
    looks: [
      [0, 9, 1, 1],
      [10, 9, 1, 2],
      [54, 9, 1, 2],
    ],
    wedged: false,
  },
  {
    title: 'moved once, then stuck for longer',
    looks: [
      [0, 9, 1, 1],
      [10, 9, 1, 2],
      [15, 9, 1, 2],
      [56, 9, 1, 2],
    ],
    wedged: true,
  },
];

test.each(CASES)('$title', ({ looks, wedged: expected }) => {
  const samples = looks.map(
    ([at, waiting, own, finished]): ProgressSample => ({ atMs: at * S, waiting, own, finished }),
  );
  const state = samples.reduce(observe, NO_PROGRESS_YET);
  expect(wedged(state, samples.at(-1)!.atMs) !== undefined).toBe(expected);
});

test('red within a minute, looks apart as they are', () => {
  expect(STUCK_AFTER_MS + 2 * LOOK_EVERY_MS).toBeLessThan(60_000);
});
