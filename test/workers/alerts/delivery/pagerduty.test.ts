import { afterAll, beforeAll, expect, test } from 'vitest';
import { createLogger } from '../../../../ingest/logger.ts';
import { acknowledgeAlert } from '../../../../workers/alerts/acknowledge.ts';
import { createSender } from '../../../../workers/alerts/channels/send.ts';
import { alertEvent, type EventRequest } from '../../../support/alert-events.ts';
import { DeliveryReceiver } from '../../../support/delivery-receiver.ts';
import { type DeliveryStack, startDeliveryStack } from '../../../support/delivery-stack.ts';
import { testConfig } from '../../../support/stack.ts';
import { SAMPLE_KEYS } from '../channels/sample-messages.ts';

/** Incidents at PagerDuty, from the relay through the real sender to a real HTTP receiver. */
let stack: DeliveryStack;
let pagerDuty: DeliveryReceiver;
let up = true;
beforeAll(async () => {
  pagerDuty = await DeliveryReceiver.start();
  pagerDuty.answer('/', (_event, res) => void res.writeHead(up ? 202 : 503).end());
  const config = testConfig({ WEBHOOK_ALLOW_PRIVATE: '127.0.0.1' });
  const sender = createSender(config, createLogger(config, 'test'), SAMPLE_KEYS, { pagerDutyEndpoint: pagerDuty.url });
  stack = await startDeliveryStack(
    {
      retryTableMs: [0, ...Array<number>(8).fill(1_000)],
      random: () => 0,
      waits: { normalMs: 50, soonMs: 50, urgentMs: 50 },
    },
    sender,
  );
});
afterAll(async () => {
  await stack.close();
  await pagerDuty.close();
});

const until = <Value>(read: () => Promise<Value> | Value, expected: Value) => expect.poll(read).toEqual(expected);

async function incident(organization: string) {
  const secrets = JSON.stringify({ routing_key: 'R0'.repeat(16) });
  await stack.channel('/none', {
    organization_id: organization,
    type: 'pagerduty',
    settings: { region: 'us' },
    secrets,
  });
  const openedAtMs = Date.now() - 60_000;
  const step = (seconds: number, request: EventRequest = {}) =>
    alertEvent({ organization, key: organization, openedAtMs, atMs: openedAtMs + seconds * 1_000, ...request });
  /** Actions that were taken in, in their order; all of one incident. */
  const actions = () =>
    pagerDuty.requests
      .filter(({ status, body }) => status === 202 && body.dedup_key === step(0).alert_id)
      .map(({ body }) => body.event_action);
  return { step, actions };
}

test('somebody has seen it: its incident is acknowledged; muted after that, it is resolved all the same', async () => {
  const { step, actions } = await incident('seen');
  const opened = step(0);
  await stack.tell([opened]);
  await until(actions, ['trigger']);
  await acknowledgeAlert(stack.store, { alertKey: opened.alert_key, alertId: opened.alert_id, actor: 'ada' });
  await until(actions, ['trigger', 'acknowledge']);
  await stack.parts.silences.create({
    organization_id: 'seen',
    matchers: { kinds: [opened.kind], key_ids: [opened.key_id] },
    starts_at: new Date(Date.now() - 1_000).toISOString(),
    ends_at: new Date(Date.now() + 600_000).toISOString(),
    reason: 'muted from a message',
    created_by: 'test',
  });
  await stack.tell([step(120, { notify: 'resolved' })]);
  await until(actions, ['trigger', 'acknowledge', 'resolve']);
});

test('an incident that opened while PagerDuty was away is resolved after it was triggered', async () => {
  const { step, actions } = await incident('late');
  up = false;
  await stack.tell([step(0)]);
  await until(async () => (await stack.deliveries()).filter(({ status }) => status === 'retrying').length, 1);
  up = true;
  await stack.tell([step(30, { notify: 'resolved' })]);
  await until(actions, ['trigger', 'resolve']);
});
