import pino from 'pino';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { API_DESCRIPTIONS_KEY, descriptionField } from '../../../ingest/api-paths.ts';
import { parseConfig } from '../../../ingest/config.ts';
import { KEY_BY_HASH, KEY_OWNER } from '../../../ingest/key-index.ts';
import { connectRedis, type Redis } from '../../../ingest/redis.ts';
import { sha256 } from '../../../ingest/token.ts';
import { ApiDescriptions } from '../../../workers/api-descriptions.ts';
import type { Store } from '../../../workers/clickhouse/store.ts';
import { rebuildEdgeIndex, startEdgeIndexWatch } from '../../../workers/edge-index.ts';
import type { Change } from '../../../workers/keys/change.ts';
import { KeyConflict, Registry } from '../../../workers/keys/registry.ts';
import { lockFree } from '../../../workers/locks.ts';
import { gate, heldInserts, withInserts } from '../../support/held-inserts.ts';
import { migratedStore } from '../../support/migrated-store.ts';
import { RedisServer } from '../../support/redis-server.ts';
import { tempFolder } from '../../support/temp-folder.ts';

const REDIS_BYTES = 100e6;
const [FIRST, SECOND] = [sha256('first'), sha256('second')];

let store: Store;
let server: RedisServer;
let redis: Redis;
let registry: Registry;
beforeAll(async () => {
  store = await migratedStore(parseConfig({}));
  server = await RedisServer.create(tempFolder());
  await server.start(REDIS_BYTES);
  redis = await connectRedis(server.url, 'worker', () => {});
  registry = new Registry(store, redis);
});
afterAll(async () => {
  redis.disconnect();
  await server.stop();
  await store.close();
});
beforeEach(async () => {
  await store.command('TRUNCATE TABLE keys');
  await redis.flushall();
  await rebuildEdgeIndex(store, redis);
});

const change =
  (fields: Change['fields'], deleted = false) =>
  (): Change => ({
    fields: { ...fields, ...(deleted ? { deleted: true } : {}) },
    action: deleted ? 'key.deleted' : 'key.updated',
    actor: 'test',
    reason: '',
  });
const set = (keyId: string, fields: Change['fields']) => registry.update(keyId, change(fields));
const holderOf = (hash: string) => redis.hget(KEY_BY_HASH, hash);
const ownerOf = (keyId: string) => redis.hget(KEY_OWNER, keyId);

/** The same store; something else happens just after it answered the first statement that reads `table`. */
function thenMeanwhile(table: string, act: () => Promise<unknown>): Store {
  let isDue = true;
  return Object.assign(Object.create(store) as Store, {
    queryWriter: async (sql: string, params?: Record<string, unknown>) => {
      const rows = await store.queryWriter(sql, params);
      if (!isDue || !sql.includes(`FROM ${table} `)) return rows;
      isDue = false;
      await act();
      return rows;
    },
  });
}

const fail = async () => {
  throw new Error('the store did not answer in time');
};

const log = pino({ level: 'silent' });
async function look(): Promise<void> {
  const watch = startEdgeIndexWatch(store, redis, log);
  await watch.look();
  watch.close();
}

test('a key that changes while the index is rebuilt keeps neither its former hash nor its former organization', async () => {
  await set('moved', { sha256: FIRST, organization_id: 'acme' });
  const rotate = () => set('moved', { sha256: SECOND, organization_id: 'globex' });
  await rebuildEdgeIndex(thenMeanwhile('keys', rotate), redis);
  expect(await holderOf(FIRST)).toBeNull();
  expect(await holderOf(SECOND)).toBe('moved');
  expect(await ownerOf('moved')).toBe('globex');
});

test('so does one whose writer has told the index before the rebuild, and stores the key after it', async () => {
  await set('moved', { sha256: FIRST, organization_id: 'acme' });
  const { store: slow, arrived, letThrough } = heldInserts(store, 'keys');
  const writer = new Registry(slow, redis).update('moved', change({ sha256: SECOND, organization_id: 'globex' }));
  await arrived;
  await rebuildEdgeIndex(store, redis);
  expect(await holderOf(FIRST)).toBe('moved');
  letThrough();
  await writer;
  expect(await holderOf(FIRST)).toBeNull();
  expect(await holderOf(SECOND)).toBe('moved');
  expect(await ownerOf('moved')).toBe('globex');
});

test('a hash that another key takes over while the index is rebuilt leads to that key', async () => {
  await set('old', { sha256: FIRST });
  await rebuildEdgeIndex(
    thenMeanwhile('keys', async () => {
      await registry.update('old', change({}, true));
      await set('new', { sha256: FIRST });
    }),
    redis,
  );
  expect(await holderOf(FIRST)).toBe('new');
});

test('what a change that failed said to the index is taken back at the next look', async () => {
  await set('kept', { sha256: FIRST, organization_id: 'acme' });
  await look();
  const failing = new Registry(withInserts(store, 'keys', fail), redis);
  await expect(failing.update('kept', change({ sha256: SECOND, organization_id: 'globex' }))).rejects.toThrow(
    'in time',
  );
  await look();
  expect(await holderOf(FIRST)).toBe('kept');
  expect(await holderOf(SECOND)).toBeNull();
  expect(await ownerOf('kept')).toBe('acme');
});

test('a change that is stored has its audit row, also where the index could not be told of it any more', async () => {
  await set('audited', { sha256: FIRST });
  const away = Object.assign(Object.create(redis) as Redis, { hset: () => Promise.reject(new Error('Redis is away')) });
  await expect(new Registry(store, away).update('audited', change({ sha256: SECOND }))).rejects.toThrow('is away');
  expect(await store.query("SELECT id FROM audit WHERE id = 'audited@2'")).toHaveLength(1);
  await look();
  expect([await holderOf(FIRST), await holderOf(SECOND)]).toEqual([null, 'audited']);
});

test('a change that lands after everybody gave it up counts from the look of the hour on', async () => {
  await set('late', { sha256: FIRST });
  const [lands, landed] = [gate(), gate()];
  const late = withInserts(store, 'keys', async (insert) => {
    void lands.opened.then(insert).then(landed.open);
    await fail();
  });
  await expect(new Registry(late, redis).update('late', change({ sha256: SECOND }))).rejects.toThrow('in time');
  await look();
  expect(await holderOf(FIRST)).toBe('late');
  lands.open();
  await landed.opened;
  await redis.del('{keytally}:index:looked_over');
  await look();
  expect(await holderOf(FIRST)).toBeNull();
  expect(await holderOf(SECOND)).toBe('late');
});

test('a hash whose key is being changed, which claims it before it is stored, is left to a look five minutes later', async () => {
  await redis.hset(KEY_BY_HASH, SECOND, 'claimed');
  const locks = await lockFree(redis, 'key', ['claimed'], 0);
  await look();
  expect(await holderOf(SECOND)).toBe('claimed');
  expect(await redis.pttl('{keytally}:index:looked_over')).toBeLessThanOrEqual(300_000);
  await locks.release();
  await redis.del('{keytally}:index:looked_over');
  await look();
  expect(await holderOf(SECOND)).toBeNull();
});

test('an index that is in line is looked over once an hour', async () => {
  await look();
  await redis.hset(KEY_BY_HASH, SECOND, 'nobody');
  await look();
  expect(await holderOf(SECOND)).toBe('nobody');
  expect(await redis.pttl('{keytally}:index:looked_over')).toBeGreaterThan(300_000);
});

test('a hash that a key has cannot be claimed by another while Redis has no index', async () => {
  await set('victim', { sha256: FIRST });
  await redis.flushall();
  await expect(set('thief', { sha256: FIRST })).rejects.toThrow(KeyConflict);
  await set('thief', { sha256: SECOND });
  await rebuildEdgeIndex(store, redis);
  expect(await holderOf(FIRST)).toBe('victim');
});

test('an API description that is replaced or removed while the index is rebuilt is what it became', async () => {
  const descriptions = new ApiDescriptions(store, redis);
  const describe = (path: string) => ({ openapi: '3.1.0', paths: { [path]: { get: {} } } });
  await descriptions.put('acme', 'replaced', describe('/before'));
  await descriptions.put('acme', 'removed', describe('/before'));
  await redis.del(API_DESCRIPTIONS_KEY);
  await rebuildEdgeIndex(
    thenMeanwhile('api_descriptions', async () => {
      await descriptions.put('acme', 'replaced', describe('/after'));
      await descriptions.remove('acme', 'removed');
    }),
    redis,
  );
  expect(await redis.hget(API_DESCRIPTIONS_KEY, descriptionField('acme', 'replaced'))).toContain('/after');
  expect(await redis.hget(API_DESCRIPTIONS_KEY, descriptionField('acme', 'removed'))).toBeNull();
});
