import pino from 'pino';
import { expect, test } from 'vitest';
import { StartStopped, UndoStack } from '../../api/undo-stack.ts';

const log = pino({ level: 'silent' });

/** Notes its name when it is undone. */
const noting = (undone: string[], name: string) => async () => {
  await Promise.resolve();
  undone.push(name);
};

test('the last is undone first, once, and one that fails keeps none of the others', async () => {
  const undone: string[] = [];
  const undo = new UndoStack(log);
  undo.push(noting(undone, 'redis'));
  undo.push(() => {
    throw new Error('will not stop');
  });
  undo.push(noting(undone, 'http'));
  await Promise.all([undo.undo(), undo.undo()]);
  await undo.undo();
  expect(undone).toEqual(['http', 'redis']);
});

test('what comes up while everything is undone is undone after it, and the start goes no further', async () => {
  const undone: string[] = [];
  const undo = new UndoStack(log);
  undo.push(noting(undone, 'lock'));
  const first = undo.undo();
  expect(() => undo.push(noting(undone, 'redis'))).toThrow(StartStopped);
  await first;
  expect(() => undo.push(noting(undone, 'store'))).toThrow(StartStopped);
  await undo.undo();
  expect(undone).toEqual(['lock', 'redis', 'store']);
});
