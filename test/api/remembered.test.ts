import { expect, it } from 'vitest';
import { Remembered } from '../../api/remembered.ts';

it('reads once for a mark, anew for another, and again after a failure', async () => {
  const remembered = new Remembered<number>(2);
  let reads = 0;
  const read = async () => ++reads;
  expect(await Promise.all([remembered.get('a', '1', read), remembered.get('a', '1', read)])).toEqual([1, 1]);
  expect(await remembered.get('a', '2', read)).toBe(2);
  await expect(remembered.get('a', '3', () => Promise.reject(new Error('away')))).rejects.toThrow('away');
  expect(await remembered.get('a', '3', read)).toBe(3);
});

it('forgets the value that was asked for longest ago', async () => {
  const remembered = new Remembered<string>(2);
  const read = (value: string) => async () => value;
  await remembered.get('a', '1', read('first a'));
  await remembered.get('b', '1', read('first b'));
  await remembered.get('a', '1', read('second a'));
  await remembered.get('c', '1', read('first c'));
  expect(await remembered.get('a', '1', read('third a'))).toBe('first a');
  expect(await remembered.get('b', '1', read('second b'))).toBe('second b');
});
