import type { ClickHouseClient } from '@clickhouse/client';
import { expect, it } from 'vitest';
import { Sessions } from '../../../workers/clickhouse/sessions.ts';

const clients = (count: number) => Array.from({ length: count }, (_, id) => ({ id }) as unknown as ClickHouseClient);

function gate() {
  let open: () => void = () => {};
  const opened = new Promise<void>((resolve) => (open = resolve));
  return { open, opened };
}

it('runs one statement after another on a connection, also after one that failed', async () => {
  const sessions = new Sessions(clients(1), true);
  const first = gate();
  const order: string[] = [];
  const failing = sessions.run(async () => {
    await first.opened;
    order.push('first');
    throw new Error('refused');
  });
  failing.catch(() => undefined);
  const others = ['second', 'third'].map((name) => sessions.run(async () => order.push(name)));
  await new Promise((resolve) => setImmediate(resolve));
  expect(order).toEqual([]);
  first.open();
  await expect(failing).rejects.toThrow('refused');
  await Promise.all(others);
  expect(order).toEqual(['first', 'second', 'third']);
});

it('a slow statement holds one connection, the others take all the rest', async () => {
  const sessions = new Sessions(clients(2), true);
  const slow = gate();
  const held = sessions.run(() => slow.opened);
  const answers = await Promise.all(Array.from({ length: 9 }, (_, n) => sessions.run(async () => n)));
  expect(answers).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
  slow.open();
  await held;
});

it('refuses those that would stand in too long a line, and takes new ones when it is shorter', async () => {
  const sessions = new Sessions(clients(1), true, 2);
  const slow = gate();
  const held = [1, 2, 3].map((n) => sessions.run(async () => slow.opened.then(() => n)));
  await expect(sessions.run(async () => 4)).rejects.toMatchObject({ status: 503 });
  slow.open();
  expect(await Promise.all(held)).toEqual([1, 2, 3]);
  expect(await sessions.run(async () => 5)).toBe(5);
});

it('never runs two statements on one connection', async () => {
  const sessions = new Sessions(clients(3), true);
  const busy = new Set<ClickHouseClient>();
  const one = () =>
    sessions.run(async (client) => {
      expect(busy.has(client)).toBe(false);
      busy.add(client);
      await new Promise((resolve) => setImmediate(resolve));
      busy.delete(client);
    });
  await Promise.all(Array.from({ length: 50 }, one));
});

it('gives a server all statements at once', async () => {
  const sessions = new Sessions(clients(1), false);
  const first = gate();
  const held = sessions.run(() => first.opened);
  expect(await sessions.run(async () => 'second')).toBe('second');
  first.open();
  await held;
});
