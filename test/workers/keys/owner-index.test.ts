import { afterAll, beforeAll, expect, test } from 'vitest';
import { connectRedis } from '../../../ingest/redis.ts';
import { rebuildKeyIndex } from '../../../workers/keys/rebuild-index.ts';
import { Tokens } from '../../../workers/tokens.ts';
import { type Stack, startStack } from '../../support/stack.ts';

let stack: Stack;
beforeAll(async () => {
  stack = await startStack();
});
afterAll(() => stack.stop());

test('Redis lost everything: a key still belongs to the organization that used it first', async () => {
  const token = (name: string) => stack.token({ name, scopes: ['ingest'], organization_id: name });
  const [acme, rival] = [await token('acme'), await token('rival')];
  const report = (by: string) =>
    stack.call('/v1/requests', { method: 'POST', token: by, body: [{ key_id: 'found', status: 200 }] });
  expect((await report(acme)).status).toBe(202);
  await stack.untilCounted(1);
  const redis = await connectRedis(stack.redisUrl, 'producer', () => {});
  await redis.del('{keytally}:keys:owner');
  await rebuildKeyIndex(stack.store, redis);
  await new Tokens(stack.store, redis).ensureAdmin(undefined);
  redis.disconnect();
  // What the edge remembers itself has run out by then.
  await new Promise((resolve) => setTimeout(resolve, 5_100));
  expect((await report(rival)).status).toBe(400);
  expect((await report(acme)).status).toBe(202);
});
