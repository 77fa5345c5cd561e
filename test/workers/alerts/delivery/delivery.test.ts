import { afterAll, beforeAll, expect, test } from 'vitest';
import { alertEvent } from '../../../support/alert-events.ts';
import { type DeliveryStack, startDeliveryStack } from '../../../support/delivery-stack.ts';

let stack: DeliveryStack;
beforeAll(async () => {
  stack = await startDeliveryStack();
});
afterAll(() => stack.close());

test('an event that is handed over arrives as a message', async () => {
  const channel = await stack.channel('/first');
  const event = alertEvent({ key: 'first' });
  const startedAt = Date.now();
  await stack.tell([event]);
  await expect.poll(() => stack.receiver.accepted('/first').length, { timeout: 10_000 }).toBe(1);
  const [message] = stack.receiver.accepted('/first');
  console.log(`from event to receiver: ${message!.atMs - startedAt} ms, of which 300 ms wait for company`);
  expect(message!.id).toMatch(/^msg_[0-9a-f]{32}$/);
  expect(message!.body).toMatchObject({
    messageId: message!.id,
    reason: 'opened',
    threadId: event.alert_id,
    omitted: 0,
  });
  expect(message!.body.notices[0].event).toEqual(event);
  await expect
    .poll(async () => (await stack.deliveries()).map(({ status, attempts }) => ({ status, attempts })), {
      timeout: 5_000,
    })
    .toEqual([{ status: 'sent', attempts: 1 }]);
  const [delivery] = await stack.deliveries();
  expect(delivery).toMatchObject({ channel_id: channel.channel_id, message_id: message!.id, response_status: 200 });
});
