import { readdirSync, readFileSync } from 'node:fs';
import { getPriority } from 'node:os';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { MERGE_NICE, mergeThreads } from '../../workers/clickhouse/merge-priority.ts';
import { type Stack, startStack } from '../support/stack.ts';

const ROUNDS = 12;

let stack: Stack;
beforeAll(async () => {
  stack = await startStack();
});
afterAll(() => stack.stop());

/** Names of the threads of this process that stand back, as the system has them. */
function namesOfLowPriority(): string[] {
  return readdirSync('/proc/self/task')
    .filter((id) => getPriority(Number(id)) > 0)
    .map((id) => readFileSync(`/proc/self/task/${id}/comm`, 'utf8').trim());
}

test.skipIf(process.platform !== 'linux')('only merges stand back, also after they have merged', async () => {
  expect(mergeThreads().length).toBeGreaterThan(0);
  for (const thread of mergeThreads()) expect(getPriority(thread)).toBe(MERGE_NICE);
  for (let round = 0; round < ROUNDS; round++) {
    await stack.send(Array.from({ length: 50 }, (_, n) => ({ key_id: `key_${n}`, status: 200 })));
    await stack.untilCounted((round + 1) * 50);
  }
  await stack.store.command('OPTIMIZE TABLE requests FINAL');
  await stack.store.command('OPTIMIZE TABLE usage_minute FINAL');
  const [{ parts } = { parts: 0 }] = await stack.store.query<{ parts: number }>(
    `SELECT count() AS parts FROM system.parts WHERE active AND database = currentDatabase() AND table = 'usage_minute'`,
  );
  expect(parts).toBe(1);
  expect(new Set(namesOfLowPriority())).toEqual(new Set(['MergeMutate']));
});
