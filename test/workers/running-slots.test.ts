import { expect, test } from 'vitest';
import { createLogger } from '../../ingest/logger.ts';
import { slotsLeftOut } from '../../workers/metrics.ts';
import { RunningSlots } from '../../workers/running-slots.ts';

const leftOut = async (kind: string) =>
  (await slotsLeftOut.get()).values.find(({ labels }) => labels.kind === kind)?.value ?? 0;

test('a slot that comes while one of its kind runs is left out and counted, those of other kinds are not', async () => {
  const slots = new RunningSlots(createLogger({ LOG_LEVEL: 'silent' }, 'test'));
  const before = await leftOut('sweep');
  const done: string[] = [];
  let end = () => {};
  const first = slots.run('sweep', '1', async () => {
    await new Promise<void>((resolve) => (end = resolve));
    done.push('sweep 1');
  });
  await slots.run('sweep', '2', async () => void done.push('sweep 2'));
  await slots.run('policies', '2', async () => void done.push('policies 2'));
  expect(done).toEqual(['policies 2']);
  expect(await leftOut('sweep')).toBe(before + 1);
  end();
  await first;
  await slots.run('sweep', '3', async () => void done.push('sweep 3'));
  expect(done).toEqual(['policies 2', 'sweep 1', 'sweep 3']);
});

test('a slot that failed says so and does not keep the next one from running', async () => {
  const slots = new RunningSlots(createLogger({ LOG_LEVEL: 'silent' }, 'test'));
  const failing = slots.run('sweep', '1', async () => {
    throw new Error('the store is away');
  });
  await expect(failing).rejects.toThrow('the store is away');
  let ran = false;
  await slots.run('sweep', '2', async () => void (ran = true));
  expect(ran).toBe(true);
});
