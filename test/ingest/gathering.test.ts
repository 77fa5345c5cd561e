import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { BatchCleaner } from '../../ingest/clean-batch.ts';
import { Gatherer } from '../../ingest/gatherer.ts';
import { type LocalRedis, startLocalRedis } from '../../ingest/local-redis.ts';
import { createLogger } from '../../ingest/logger.ts';
import { openBatchQueue } from '../../ingest/queue.ts';
import { parseRecord } from '../../ingest/record.ts';
import { connectRedis, type Redis } from '../../ingest/redis.ts';
import { RouteLimit } from '../../ingest/route-limit.ts';
import { testConfig } from '../support/stack.ts';
import { tempFolder } from '../support/temp-folder.ts';

/** The first batch after a pause is looked at after a fifth of it, then after a whole one: the moments below lie well between. */
const LINGER_MS = 2_000;
const BETWEEN_MS = 100;
const AFTER_THE_FIRST_LOOK_MS = 700;

let server: LocalRedis;
let redis: Redis;
beforeAll(async () => {
  server = await startLocalRedis({ dataDir: tempFolder(), log: () => {}, maxMemoryBytes: 268_435_456 });
  redis = await connectRedis(server.url, 'worker', () => {});
});
afterAll(async () => {
  redis.disconnect();
  await server.stop();
});

/** Whether a request that comes after the first look at a batch still gets into it. */
async function isStillGathered(company: boolean, isWaitedFor: boolean, waiting: number): Promise<boolean> {
  const queue = openBatchQueue(redis, 0);
  await queue.obliterate({ force: true });
  const payload = { rows: 0 } as never;
  for (let n = 0; n < waiting; n++) await queue.add('batch', { rows: 1, claims: [], receivedAtMs: 0, payload });
  const cleaner = new BatchCleaner(new RouteLimit(200), { match: () => '' });
  const log = createLogger(testConfig(), 'test');
  const gatherer = new Gatherer([queue], { confirm: async () => {} }, cleaner, LINGER_MS, log);
  const parsed = parseRecord({ key_id: 'k', status: 200 }, 0, Date.now(), { pastMs: 1e9, futureMs: 1e9 });
  if (!('record' in parsed)) throw new Error(parsed.message);
  const origin = { organizationId: '', claim: undefined, isWaitedFor, uniqueCaller: '' };
  const send = () => gatherer.add([parsed.record], origin);
  const first = send();
  if (company) await sleep(BETWEEN_MS).then(() => void send());
  await sleep(AFTER_THE_FIRST_LOOK_MS - (company ? BETWEEN_MS : 0));
  const last = send();
  await gatherer.close();
  await queue.close();
  return (await first) === (await last);
}

test.each([
  ['alone, it is handed over', false, false, 0, false],
  ['in company, while nobody waits for the answer, it goes on', true, false, 0, true],
  ['in company of one who waits, it is handed over', true, true, 0, false],
  ['behind a batch that no worker has taken, it goes on, whoever waits', false, true, 1, true],
])('%s', async (_, company, isWaitedFor, waiting, expected) => {
  expect(await isStillGathered(company, isWaitedFor, waiting)).toBe(expected);
});
