import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { connectRedis, type Redis } from '../../../../ingest/redis.ts';
import { enqueueSlot, openDeliveryQueue } from '../../../../workers/alerts/outbox.ts';
import { alertEvent, writeAlertEvents } from '../../../support/alert-events.ts';
import { DeliveryReceiver } from '../../../support/delivery-receiver.ts';
import { type Stack, startStack } from '../../../support/stack.ts';

const HOUR_MS = 3_600_000;
let stack: Stack;
let redis: Redis;
let receiver: DeliveryReceiver;

beforeAll(async () => {
  receiver = await DeliveryReceiver.start();
  stack = await startStack({ DIGEST_HOUR: '11', WEBHOOK_ALLOW_PRIVATE: '127.0.0.1' });
  redis = await connectRedis(stack.redisUrl, 'worker', () => {});
});
afterAll(async () => {
  redis.disconnect();
  await stack.stop();
  await receiver.close();
});

/** Where it is twelve at a time that is a full hour of UTC. */
function zoneAtNoon(atMs: number): string {
  const ahead = 12 - new Date(atMs).getUTCHours();
  // The signs of these names are those of POSIX: what is ahead of UTC has a minus.
  return `Etc/GMT${ahead > 0 ? '-' : '+'}${Math.abs(ahead)}`;
}

test('the digest of a channel without an hour of its own holds what was kept back until DIGEST_HOUR', async () => {
  const noonMs = Math.floor(Date.now() / HOUR_MS) * HOUR_MS;
  const settings = { url: `${receiver.url}/digest` };
  const body = { name: 'digest', type: 'webhook', settings, routing: { timezone: zoneAtNoon(noonMs) } };
  const { json: channel } = await stack.call('/v1/channels', { method: 'POST', body });
  const events = [
    alertEvent({ key: 'before eleven', atMs: noonMs - 1.25 * HOUR_MS }),
    alertEvent({ key: 'after eleven', atMs: noonMs - 0.25 * HOUR_MS }),
  ];
  await writeAlertEvents(stack.store, events);
  await stack.store.insertRows(
    'deliveries',
    events.map(({ event_id, alert_key, alert_id, at }) => ({
      ...{ delivery_id: event_id, event_id, alert_key, alert_id, channel_id: channel.channel_id },
      ...{ notify: 'opened', status: 'digest', event_at: at, created_at: at, version: 1 },
    })),
  );
  const queue = openDeliveryQueue(redis);
  onTestFinished(() => queue.close());
  const keysOf = (alerts: { key_id: string }[]) => alerts.map((alert) => alert.key_id);
  const told = async () => {
    // Again and again: one that meets the worker's own is left out.
    await enqueueSlot(queue, 'digest', Date.now());
    return receiver.accepted('/digest').map(({ body: { type, data } }) => [type, keysOf(data.alerts)]);
  };
  await expect.poll(told).toEqual([['alert.digest', ['before eleven']]]);
});
