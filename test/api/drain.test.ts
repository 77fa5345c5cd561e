import { Agent, request } from 'node:http';
import { beforeAll, expect, test } from 'vitest';
import { connectRedis } from '../../ingest/redis.ts';
import { ADMIN_TOKEN, type Stack, startStack } from '../support/stack.ts';

let stack: Stack;
beforeAll(async () => {
  stack = await startStack();
});

/** Once the api listens for changes, the first of those before this call waits; the others were read with it or before the call. */
async function untilWaiting(): Promise<void> {
  const redis = await connectRedis(stack.redisUrl, 'worker', () => {});
  await expect.poll(async () => (await redis.call('PUBSUB', 'NUMSUB', '{keytally}:denied')) as unknown[]).toContain(1);
  redis.disconnect();
  await stack.call('/healthz');
}

test('a stop is not held up by gateways that wait for a change: they are answered, not cut off', async () => {
  const etag = (await stack.call('/v1/keys/denied')).headers.get('etag')!;
  const agent = new Agent({ keepAlive: true });
  const statuses = Array.from(
    { length: 3 },
    () =>
      new Promise<number | undefined>((resolve, reject) => {
        const headers = { Authorization: `Bearer ${ADMIN_TOKEN}`, 'If-None-Match': etag };
        request(`${stack.url}/v1/keys/denied?wait=25`, { agent, headers }, (res) => {
          res.resume();
          res.once('end', () => resolve(res.statusCode));
        })
          .once('error', reject)
          .end();
      }),
  );
  await untilWaiting();
  const answered = Promise.all(statuses);
  await Promise.all([stack.stop(), expect(answered).resolves.toEqual([304, 304, 304])]);
  agent.destroy();
});
