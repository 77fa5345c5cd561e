import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { decodeBatch } from '../../ingest/batch.ts';
import { parseConfig } from '../../ingest/config.ts';
import { type LocalRedis, startLocalRedis } from '../../ingest/local-redis.ts';
import { openBatchQueue } from '../../ingest/queue.ts';
import type { Redis } from '../../ingest/redis.ts';
import { connectRedis } from '../../ingest/redis.ts';
import { openStore } from '../../workers/clickhouse/store.ts';
import { type PartProcess, startPart } from '../support/process.ts';
import { ADMIN_TOKEN, httpCall } from '../support/stack.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { SAMPLES } from './formats/samples/all.ts';
import { CANARY, plantedPayloads } from './formats/samples/planted.ts';
import type { Sample } from './formats/samples/sample.ts';

/** Enough to find where a value of each format could slip through; the mapping alone is tried with all of them. */
const PAYLOADS_PER_SAMPLE = 40;
/** Posts at once: they are gathered, so that the worker has few batches to insert. */
const POSTERS = 24;
const TABLES = [
  'requests',
  'endpoints_day',
  'endpoints_quarter_hour',
  'key_totals',
  'usage_day',
  'dead_letters',
  'audit',
  'tokens',
  'keys',
];

let redis: LocalRedis;
let connection: Redis;
let program: PartProcess;
const folder = tempFolder();

beforeAll(async () => {
  redis = await startLocalRedis({ dataDir: tempFolder(), log: () => {}, maxMemoryBytes: 268_435_456 });
  connection = await connectRedis(redis.url, 'producer', () => {});
  program = await startPart('start', {
    REDIS_URL: redis.url,
    KEYTALLY_DATA_DIR: folder,
    KEYTALLY_ADMIN_TOKEN: ADMIN_TOKEN,
    ACCEPT_PAST_DAYS: '20000',
    RETENTION_REQUESTS_DAYS: '20000',
    LOG_LEVEL: 'trace',
    INGEST_LINGER_MS: '30',
  });
});
afterAll(async () => {
  program.child.kill('SIGKILL');
  connection.disconnect();
  await redis.stop();
});

/** Every key and value of Redis as text, compressed batches unpacked. */
async function everythingInRedis(): Promise<string> {
  const seen: string[] = [];
  for (const key of await connection.keys('*')) {
    const type = await connection.type(key);
    if (type === 'string') seen.push(key, (await connection.get(key)) ?? '');
    else if (type === 'hash') seen.push(key, JSON.stringify(await connection.hgetall(key)));
    else if (type === 'stream') seen.push(key, JSON.stringify(await connection.xrange(key, '-', '+')));
    else if (type === 'zset') seen.push(key, JSON.stringify(await connection.zrange(key, '0', '-1')));
    else if (type === 'list') seen.push(key, JSON.stringify(await connection.lrange(key, 0, -1)));
  }
  const queue = openBatchQueue(connection, 0);
  for (const job of await queue.getJobs(['waiting', 'active', 'delayed'])) {
    const { rows, ...columns } = await decodeBatch(job.data.payload);
    seen.push(`${rows} rows`, JSON.stringify(columns));
  }
  await queue.close();
  return seen.join('\n');
}

/** Shared by all posters: each takes the next payload. */
function* plantedSamples(): Generator<{ sample: Sample; body: string | Buffer }> {
  for (const sample of SAMPLES) {
    let planted = 0;
    for (const body of plantedPayloads(sample)) {
      if (planted++ >= PAYLOADS_PER_SAMPLE) break;
      yield { sample, body };
    }
  }
}

test('a secret in any field of any format is in no Redis key, no table and no log line', async () => {
  const queue = openBatchQueue(connection, 0);
  await queue.pause();
  let sent = 0;
  let taken = 0;
  const payloads = plantedSamples();
  const poster = async () => {
    for (const { sample, body } of payloads) {
      const path =
        { 'otlp-traces': '/v1/traces', 'otlp-logs': '/v1/logs' }[sample.format] ?? `/v1/ingest/${sample.format}`;
      const headers = { 'Content-Type': sample.contentType ?? 'application/json', ...sample.headers };
      const answer = await httpCall(program.url + path, { method: 'POST', body: Buffer.from(body as string), headers });
      sent++;
      if (answer.status < 300) taken++;
      expect(answer.text).not.toContain('CANARY');
    }
  };
  await Promise.all(Array.from({ length: POSTERS }, poster));
  expect(sent).toBeGreaterThan(1_000);
  expect(taken).toBeGreaterThan(500);
  const waiting = await everythingInRedis();
  expect(waiting).toMatch(/\d+ rows/);
  expect(waiting).not.toContain('CANARY');
  expect(waiting).not.toContain(Buffer.from(CANARY).toString('base64').slice(0, 20));

  await queue.resume();
  await expect
    .poll(async () => Object.values(await queue.getJobCounts('waiting', 'active', 'delayed')), { timeout: 120_000 })
    .toEqual([0, 0, 0]);
  await queue.close();
  await program.kill('SIGTERM');
  expect(program.log()).toContain('stopping');
  expect(program.log()).not.toContain('CANARY');

  const store = await openStore(parseConfig({}), join(folder, 'clickhouse'));
  for (const table of TABLES) {
    const columns = table.startsWith('endpoints') || table.startsWith('usage') ? '* EXCEPT (latency)' : '*';
    expect(JSON.stringify(await store.query(`SELECT ${columns} FROM ${table}`)), table).not.toContain('CANARY');
  }
  // The key was seen, under the name made of its hash: the test did try what it says.
  const id = `sha256_${createHash('sha256').update(CANARY).digest('hex').slice(0, 24)}`;
  const [row] = await store.query<{ counted: number }>(
    'SELECT count() AS counted FROM requests WHERE key_id = {id:String}',
    { id },
  );
  expect(row!.counted).toBeGreaterThan(10);
  await store.close();
}, 300_000);
