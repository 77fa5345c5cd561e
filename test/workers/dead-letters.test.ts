import type { JobsOptions } from 'bullmq';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { Batch, decodeBatch, encodeBatch } from '../../ingest/batch.ts';
import { type BatchJob, openBatchQueue } from '../../ingest/queue.ts';
import { connectRedis } from '../../ingest/redis.ts';
import { MAX_LETTERS_PER_BATCH, wholeBatch, writeDeadLetters } from '../../workers/dead-letter.ts';
import { sized } from '../support/full-size.ts';
import { type Stack, startStack } from '../support/stack.ts';
import { tierCounts } from '../support/tiers.ts';

let stack: Stack;
beforeAll(async () => {
  stack = await startStack();
});
afterAll(() => stack.stop());
afterEach(async () => {
  await stack.store.command('ALTER TABLE requests DROP CONSTRAINT IF EXISTS no_poison');
  await stack.store.command('TRUNCATE TABLE dead_letters');
});

const RECORD = {
  ...{ keyId: 'k', timestampMs: Date.now(), method: 'GET', path: '/a', route: '/a', status: 200, latencyMs: 1 },
  ...{ requestBytes: 0, responseBytes: 0, ip: '', country: '', userAgent: '', requestId: '', service: '' },
  ...{ environment: '', rateLimited: false, error: '' },
};

/** A batch whose rows of these numbers are poison. */
async function jobOf(rows: number, poison: ReadonlySet<number>, keyId: string, ip = ''): Promise<BatchJob> {
  const batch = new Batch();
  for (let n = 0; n < rows; n++) batch.add({ ...RECORD, keyId, ip, path: poison.has(n) ? '/poison' : '/a' }, '');
  return { rows, claims: [], receivedAtMs: Date.now(), payload: await encodeBatch(batch) };
}

async function enqueue(jobId: string, job: BatchJob, options: JobsOptions = {}): Promise<void> {
  const redis = await connectRedis(stack.redisUrl, 'producer', () => {});
  const queue = openBatchQueue(redis, 0);
  await queue.add('batch', job, { ...options, jobId });
  await queue.close();
  redis.disconnect();
}

const list = async (query = '') => (await stack.call(`/v1/dead-letters${query}`)).json.data;
const replay = (id: string) => stack.call(`/v1/dead-letters/${id}/replay`, { method: 'POST' });
const forbidPoison = () => stack.store.command("ALTER TABLE requests ADD CONSTRAINT no_poison CHECK path != '/poison'");

async function counted(keyId: string): Promise<{ requests: number; total: number }> {
  const [row] = await stack.store.query<{ requests: number; total: number }>(
    `SELECT (SELECT count() FROM requests WHERE key_id = {key_id:String}) AS requests,
       (SELECT sum(requests) FROM key_totals WHERE key_id = {key_id:String}) AS total`,
    { key_id: keyId },
  );
  return row!;
}

test('a poisoned row waits with its reason; a replay counts it once, however often it is asked for', async () => {
  await forbidPoison();
  await enqueue('poisoned', await jobOf(20, new Set([7]), 'replayed'));
  await expect.poll(async () => (await list()).length).toBe(1);
  expect((await list())[0]).toMatchObject({
    ...{ id: 'poisoned-7', batch_id: 'poisoned', rows: 1, outcome: 'waiting' },
    reason: expect.stringContaining('no_poison'),
    sample: expect.objectContaining({ key_id: 'replayed', path: '/poison', status: '200' }),
  });
  expect(await counted('replayed')).toEqual({ requests: 19, total: 19 });
  await stack.store.command('ALTER TABLE requests DROP CONSTRAINT no_poison');
  const answers = await Promise.all(Array.from({ length: 4 }, () => replay('poisoned-7')));
  expect(answers.map(({ status }) => status).filter((status) => ![200, 409].includes(status))).toEqual([]);
  await expect.poll(() => counted('replayed')).toEqual({ requests: 20, total: 20 });
  expect((await replay('poisoned-7')).status).toBe(409);
  expect(await list()).toEqual([]);
  expect(await list('?outcome=replayed')).toMatchObject([{ id: 'poisoned-7' }]);
  expect(await counted('replayed')).toEqual({ requests: 20, total: 20 });
});

test('replayed while the cause is still there: it waits again', async () => {
  await forbidPoison();
  await enqueue('stubborn', await jobOf(3, new Set([1]), 'stubborn'));
  await expect.poll(async () => (await list()).length).toBe(1);
  expect((await replay('stubborn-1')).status).toBe(200);
  await expect.poll(async () => (await list()).map(({ id }: { id: string }) => id)).toEqual(['stubborn-1-0']);
  await stack.store.command('ALTER TABLE requests DROP CONSTRAINT no_poison');
  await replay('stubborn-1-0');
  await expect.poll(() => counted('stubborn')).toEqual({ requests: 3, total: 3 });
});

test('more bad rows than letters: the rest is one letter, and a replay counts every row once', async () => {
  await forbidPoison();
  const rows = MAX_LETTERS_PER_BATCH + 30;
  await enqueue('many', await jobOf(rows + 5, new Set(Array.from({ length: rows }, (_, n) => n)), 'many'));
  await expect.poll(async () => (await list('?limit=500')).length).toBe(MAX_LETTERS_PER_BATCH + 1);
  const letters: { id: string; rows: number }[] = await list('?limit=500');
  expect(letters.find(({ id }) => id === 'many-rest')!.rows).toBe(30);
  const [stored] = await stack.store.query<{ payload: string }>(
    "SELECT payload FROM dead_letters FINAL WHERE id = 'many-3'",
  );
  expect((await decodeBatch(stored!.payload)).rows).toBe(1);
  await stack.store.command('ALTER TABLE requests DROP CONSTRAINT no_poison');
  const replayed = letters.filter(({ id }, at) => id === 'many-rest' || at < sized(20, letters.length));
  for (const { id } of replayed) expect((await replay(id)).status).toBe(200);
  const wanted = 5 + replayed.reduce((sum, letter) => sum + letter.rows, 0);
  await expect.poll(() => counted('many')).toEqual({ requests: wanted, total: wanted });
}, 120_000);

test('a batch that was given up although the store had committed it is not counted again', async () => {
  const job = await jobOf(5, new Set(), 'committed');
  await enqueue('committed', job);
  await expect.poll(() => counted('committed')).toEqual({ requests: 5, total: 5 });
  await writeDeadLetters(stack.store, [wholeBatch('committed', job, 'gave up after 10 attempts: timeout')]);
  expect((await replay('committed')).json).toEqual({ id: 'committed', outcome: 'counted_already', rows: 5 });
  expect(await counted('committed')).toEqual({ requests: 5, total: 5 });
});

test('a view fails for the last time and `requests` has the rows: no letter; the batch waits and every table gets them', async () => {
  await stack.store.command(
    "CREATE MATERIALIZED VIEW broken ENGINE = Null AS SELECT throwIf(path = '/poison') AS fails FROM requests",
  );
  const before = await tierCounts(stack.store);
  const more = (rows: number) => Object.fromEntries(Object.entries(before).map(([tier, n]) => [tier, n + rows]));
  await enqueue('halved', await jobOf(3, new Set([1]), 'halved'), { attempts: 1 });
  await expect.poll(async () => (await counted('halved')).requests).toBe(3);
  await enqueue('behind', await jobOf(2, new Set(), 'behind'));
  await expect.poll(() => counted('behind')).toEqual({ requests: 2, total: 2 });
  // The engine fills views in an order of its own.
  expect(await tierCounts(stack.store), 'no view was cut short').not.toEqual(more(5));
  expect(await list()).toEqual([]);
  await stack.store.command('DROP VIEW broken');
  await expect.poll(() => tierCounts(stack.store)).toEqual(more(5));
});

test('a batch of which a part is counted is refused, with both numbers', async () => {
  await enqueue('partly', await jobOf(5, new Set(), 'partly'));
  await expect.poll(() => counted('partly')).toEqual({ requests: 5, total: 5 });
  await writeDeadLetters(stack.store, [wholeBatch('partly', await jobOf(9, new Set(), 'partly'), 'gave up')]);
  const { status, json } = await replay('partly');
  expect([status, json.detail]).toEqual([409, expect.stringContaining('5 of its 9 rows')]);
});

test.each([
  ['a batch that was given up', "CHECK throwIf(path = '/poison') = 0", 'addressed'],
  ['a row that was refused', "CHECK path != '/poison'", 'refused-1'],
])(
  'the letter of %s has addresses as they are stored, their countries, and nothing after its replay',
  async (_title, check, id) => {
    await stack.store.command(`ALTER TABLE requests ADD CONSTRAINT no_poison ${check}`);
    const batchId = id.split('-')[0]!;
    await enqueue(batchId, await jobOf(3, new Set([1]), batchId, '8.8.8.8'), { attempts: 1 });
    await expect.poll(async () => (await list()).map((letter: { id: string }) => letter.id)).toEqual([id]);
    const payload = async () =>
      (
        await stack.store.query<{ payload: string }>('SELECT payload FROM dead_letters FINAL WHERE id = {id:String}', {
          id,
        })
      )[0]!.payload;
    const { ip, country } = await decodeBatch(await payload());
    expect([ip.values, country.values]).toEqual([['8.8.8.0'], ['US']]);
    await stack.store.command('ALTER TABLE requests DROP CONSTRAINT no_poison');
    expect((await replay(id)).status).toBe(200);
    expect(await payload()).toBe('');
    await expect.poll(() => counted(batchId)).toEqual({ requests: 3, total: 3 });
    const stored = await stack.store.query<{ ip: string; country: string }>(
      'SELECT DISTINCT ip, country FROM requests WHERE key_id = {key_id:String}',
      { key_id: batchId },
    );
    expect(stored).toEqual([{ ip: '8.8.8.0', country: 'US' }]);
  },
);

test('a replay keeps the claims of its batch: a repeat that came meanwhile stays out', async () => {
  const claim = { id: 'claimed-post', keepSeconds: 600, firstRow: 0, rows: 4 };
  const lost: BatchJob = { ...(await jobOf(4, new Set(), 'claimed')), claims: [claim] };
  await writeDeadLetters(stack.store, [wholeBatch('first-delivery', lost, 'gave up')]);
  await enqueue('second-delivery', lost);
  await expect.poll(() => counted('claimed')).toEqual({ requests: 4, total: 4 });
  expect((await replay('first-delivery')).status).toBe(200);
  await enqueue('afterwards', await jobOf(1, new Set(), 'marker'));
  await expect.poll(() => counted('marker')).toEqual({ requests: 1, total: 1 });
  expect(await counted('claimed')).toEqual({ requests: 4, total: 4 });
});

test('a replay that fails again waits again, also when the clock stepped back meanwhile', async () => {
  const letter = wholeBatch('again', await jobOf(1, new Set(), 'x'), 'gave up');
  await writeDeadLetters(stack.store, [letter]);
  await stack.call('/v1/dead-letters/again', { method: 'DELETE' });
  vi.setSystemTime(Date.now() - 3_600_000);
  await writeDeadLetters(stack.store, [letter]).finally(() => vi.useRealTimers());
  expect(await list()).toMatchObject([{ id: 'again', outcome: 'waiting' }]);
});

test('dropped: the rows are gone, the reason stays, and only an administrator may', async () => {
  await writeDeadLetters(stack.store, [wholeBatch('given-up', await jobOf(2, new Set(), 'x'), 'nobody needs it')]);
  const manager = await stack.token({ name: 'manager', scopes: ['manage'] });
  const drop = (token?: string) =>
    stack.call('/v1/dead-letters/given-up', { method: 'DELETE', ...(token ? { token } : {}) });
  expect((await drop(manager)).status).toBe(403);
  expect((await drop()).json).toEqual({ id: 'given-up', outcome: 'dropped', rows: 2 });
  expect((await drop()).status).toBe(409);
  expect(await list('?outcome=dropped')).toMatchObject([{ id: 'given-up', reason: 'nobody needs it' }]);
  const [row] = await stack.store.query<{ payload: string }>('SELECT payload FROM dead_letters FINAL');
  expect(row!.payload).toBe('');
  expect((await stack.call('/v1/dead-letters/nowhere', { method: 'DELETE' })).status).toBe(404);
});

test('pages, and a token of one organization sees nothing', async () => {
  const job = await jobOf(1, new Set(), 'x');
  await writeDeadLetters(
    stack.store,
    ['a', 'b', 'c'].map((id) => wholeBatch(id, job, 'r')),
  );
  const first = (await stack.call('/v1/dead-letters?limit=2')).json;
  const second = (await stack.call(`/v1/dead-letters?limit=2&cursor=${first.next_cursor}`)).json;
  const ids = [...first.data, ...second.data].map(({ id }: { id: string }) => id);
  expect([ids, second.next_cursor]).toEqual([['c', 'b', 'a'], null]);
  const token = await stack.token({ name: 'acme', scopes: ['manage'], organization_id: 'acme' });
  expect((await stack.call('/v1/dead-letters', { token })).status).toBe(403);
  expect((await stack.call('/metrics')).text).toContain('keytally_dead_letters_waiting');
});
