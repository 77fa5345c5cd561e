import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { connectRedis, type Redis } from '../../../../ingest/redis.ts';
import type { DeliveryParts } from '../../../../workers/alerts/delivery/delivery-parts.ts';
import { relay } from '../../../../workers/alerts/delivery/relay.ts';
import { DELIVERY_PREFIX } from '../../../../workers/alerts/outbox.ts';
import { RedisServer } from '../../../support/redis-server.ts';
import { tempFolder } from '../../../support/temp-folder.ts';

const RUNNING = `${DELIVERY_PREFIX}:relay`;
const LOCK_MS = 4_000;
/** Less than the term of a turn. */
const LEFT_MS = 5_000;

let server: RedisServer;
let redis: Redis;
beforeAll(async () => {
  server = await RedisServer.create(tempFolder());
  await server.start(67_108_864);
  redis = await connectRedis(server.url, 'worker', () => {});
});
beforeEach(() => redis.flushall());
afterAll(async () => {
  redis.disconnect();
  await server.stop();
});

/** A store that takes its time, and then says that it is away. */
function slowly(answer: () => Promise<void>): DeliveryParts {
  const queryWriter = async () => {
    await answer();
    throw new Error('the store is away');
  };
  return { redis, store: { queryWriter }, settings: { lockMs: LOCK_MS, settleMs: 0 } } as unknown as DeliveryParts;
}

test('a slow turn keeps others from beginning one for as long as it lasts', async () => {
  let end = () => {};
  let begun = () => {};
  const hasBegun = new Promise<void>((resolve) => (begun = resolve));
  const turn = relay(
    slowly(() => {
      begun();
      return new Promise((resolve) => (end = resolve));
    }),
  );
  await hasBegun;
  await redis.pexpire(RUNNING, LEFT_MS);
  await expect.poll(() => redis.pttl(RUNNING)).toBeGreaterThan(LEFT_MS);
  await relay(slowly(() => Promise.reject(new Error('a second turn'))));
  end();
  await expect(turn).rejects.toThrow('the store is away');
  expect(await redis.exists(RUNNING)).toBe(0);
});

test('a turn that another has taken over from does not end the other’s', async () => {
  const late = relay(slowly(async () => void (await redis.set(RUNNING, 'another'))));
  await expect(late).rejects.toThrow('the store is away');
  expect(await redis.get(RUNNING)).toBe('another');
});
