import { afterAll, beforeAll, expect, test } from 'vitest';
import { connectRedis, type Redis } from '../../../ingest/redis.ts';
import type { Change } from '../../../workers/keys/change.ts';
import { KeyConflict, Registry } from '../../../workers/keys/registry.ts';
import { heldInserts } from '../../support/held-inserts.ts';
import { type Stack, startStack } from '../../support/stack.ts';

const LOCK = '{keytally}:key-lock:slow';
/** Less than is left of a lock's term just after it was renewed. */
const LEFT_MS = 12_000;
let stack: Stack;
let redis: Redis;
beforeAll(async () => {
  stack = await startStack();
  redis = await connectRedis(stack.redisUrl, 'worker', () => {});
});
afterAll(async () => {
  redis.disconnect();
  await stack.stop();
});

const change = (fields: Change['fields']) => (): Change => ({
  fields,
  action: 'key.updated',
  actor: 'test',
  reason: '',
});

test('a key stays locked for as long as the store takes to write it, and both changes are kept', async () => {
  const other = new Registry(stack.store, redis);
  await other.update('slow', change({ name: 'before' }));
  const { store, arrived, letThrough } = heldInserts(stack.store, 'keys');
  const slow = new Registry(store, redis).update('slow', change({ name: 'slow' }));
  await arrived;
  await redis.pexpire(LOCK, LEFT_MS);
  await expect.poll(() => redis.pttl(LOCK)).toBeGreaterThan(LEFT_MS);
  await expect(other.update('slow', change({ description: 'other' }))).rejects.toThrow(KeyConflict);
  letThrough();
  await slow;
  await other.update('slow', change({ description: 'other' }));
  expect(await other.find('slow')).toMatchObject({ name: 'slow', description: 'other', version: 3 });
  expect(await redis.exists(LOCK)).toBe(0);
});
