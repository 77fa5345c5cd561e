import { createServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Batch, encodeBatch } from '../../ingest/batch.ts';
import { openBatchQueue } from '../../ingest/queue.ts';
import { connectRedis } from '../../ingest/redis.ts';
import { keytally } from '../../ingest/sender.ts';
import { PLAIN_RECORD } from '../support/plain-record.ts';
import { ADMIN_TOKEN, type Stack, startStack } from '../support/stack.ts';

/** Of a bridge of containers and of a VLAN: zones that the library for addresses does not read. */
const [BRIDGE, VLAN] = ['fe80::1%br-1a2b', 'fe80::2%eth0.100'];

let stack: Stack;
beforeAll(async () => {
  stack = await startStack();
});
afterAll(() => stack.stop());

const addresses = () =>
  stack.store.query<{ key_id: string; ip: string }>('SELECT key_id, ip FROM requests ORDER BY key_id');
const deadLetters = () => stack.store.query('SELECT reason FROM dead_letters FINAL');

/** Of the SDK in a host whose clients are on its own network. */
async function sendWithSdk(): Promise<void> {
  const middleware = keytally({ url: stack.url, token: ADMIN_TOKEN });
  const host = createServer((req, res) => middleware(req, res, () => res.end('ok')));
  host.on('connection', (socket: Socket) => Object.defineProperty(socket, 'remoteAddress', { value: BRIDGE }));
  await new Promise<void>((resolve) => host.listen(0, '127.0.0.1', resolve));
  await fetch(`http://127.0.0.1:${(host.address() as AddressInfo).port}/`, { headers: { connection: 'close' } });
  await middleware.close();
  await new Promise((resolve) => host.close(resolve));
}

test('an address with a zone counts without it, however it comes, and so do the rows beside it', async () => {
  await sendWithSdk();
  await stack.send([
    { key_id: 'in-array', status: 200, ip: VLAN },
    { key_id: 'beside', status: 200, ip: '203.0.113.9' },
  ]);
  const line = JSON.stringify({ key_id: 'in-line', status: 200, ip: BRIDGE });
  const headers = { 'Content-Type': 'application/x-ndjson' };
  expect((await stack.call('/v1/requests', { method: 'POST', body: line, headers })).status).toBe(202);
  await stack.untilCounted(4);
  expect(await addresses()).toEqual([
    { key_id: '(no key)', ip: 'fe80::' },
    { key_id: 'beside', ip: '203.0.113.0' },
    { key_id: 'in-array', ip: 'fe80::' },
    { key_id: 'in-line', ip: 'fe80::' },
  ]);
});

test('a batch that an earlier version queued with such addresses counts, and nothing becomes a dead letter', async () => {
  const batch = new Batch();
  for (const ip of [BRIDGE, VLAN, 'no address']) batch.add({ ...PLAIN_RECORD, keyId: 'old', ip }, '');
  const redis = await connectRedis(stack.redisUrl, 'producer', () => {});
  const queue = openBatchQueue(redis, 0);
  const data = { rows: 3, claims: [], receivedAtMs: Date.now(), payload: await encodeBatch(batch) };
  await queue.add('batch', data, { jobId: 'of-before' });
  await queue.close();
  redis.disconnect();
  await stack.untilCounted(7);
  expect(
    (await addresses())
      .filter(({ key_id }) => key_id === 'old')
      .map(({ ip }) => ip)
      .sort(),
  ).toEqual(['', 'fe80::', 'fe80::']);
  expect(await deadLetters()).toEqual([]);
});
