import { Agent, request } from 'node:http';
import { beforeAll, expect, test } from 'vitest';
import { ADMIN_TOKEN, type Stack, startStack } from '../support/stack.ts';

/** Bounds the stop: with a gateway that is waited for, it takes the 25 s of its wait or longer. */
const TIMEOUT_MS = 15_000;

let stack: Stack;
beforeAll(async () => {
  stack = await startStack();
});

test(
  'a stop is not held up by gateways that wait for a change: they are answered',
  async () => {
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
    await new Promise((resolve) => setTimeout(resolve, 500));
    await stack.stop();
    expect(await Promise.all(statuses)).toEqual([304, 304, 304]);
    agent.destroy();
  },
  TIMEOUT_MS,
);
