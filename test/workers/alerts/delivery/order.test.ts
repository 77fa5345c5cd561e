import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { acknowledgeAlert } from '../../../../workers/alerts/acknowledge.ts';
import type { AlertEvent } from '../../../../workers/alerts/alert.ts';
import type { Routing } from '../../../../workers/alerts/delivery/channel-routing.ts';
import type { Channel } from '../../../../workers/alerts/delivery/channels.ts';
import type { Delivery } from '../../../../workers/alerts/delivery/deliveries.ts';
import { replay } from '../../../../workers/alerts/delivery/replay.ts';
import { alertEvent, type EventRequest } from '../../../support/alert-events.ts';
import { type DeliveryStack, startDeliveryStack } from '../../../support/delivery-stack.ts';

/** The order in which the steps of one alert reach a receiver, over a real relay and a real receiver. */
let stack: DeliveryStack;
beforeAll(async () => {
  stack = await startDeliveryStack({
    retryTableMs: [0, 1_500, 1_500, 1_500, 1_500, 1_500],
    random: () => 0,
    waits: { normalMs: 50, soonMs: 50, urgentMs: 50 },
  });
  await stack.another();
});
afterAll(() => stack.close());

const until = <Value>(read: () => Promise<Value> | Value, expected: Value) => expect.poll(read).toEqual(expected);

const clock = (ms: number) => new Date(ms).toISOString().slice(11, 16);
const night = (): Routing => ({
  quiet_hours: { from: clock(Date.now() - 3_600_000), to: clock(Date.now() + 3_600_000) },
});

async function setUp(path: string, routing: Routing = {}) {
  const organization = path.slice(1);
  const channel = await stack.channel(path, { organization_id: organization, routing });
  const openedAtMs = Date.now();
  const key = `key of ${path}`;
  const step = (minutes: number, request: EventRequest) =>
    alertEvent({ organization, key, openedAtMs, atMs: openedAtMs + minutes * 60_000, ...request });
  /** The steps in the order in which they arrived, by their own reasons; the channel may hear another. */
  const told = () =>
    stack.receiver.accepted(path).flatMap(({ body }) => body.notices.map(({ event }: Notice) => event.notify));
  return { channel, step, told, organization };
}
type Notice = { event: AlertEvent };

const rowsOf = async (channel: Channel): Promise<Delivery[]> =>
  (await stack.deliveries()).filter((row) => row.channel_id === channel.channel_id);

/** What became of each step, by its reason. */
const fates = async (channel: Channel) =>
  (await rowsOf(channel)).map(({ notify, status, reason }) => `${notify} ${status} ${reason}`.trim()).toSorted();

/** The night is over: the rows say themselves when they are due. */
async function morning(channel: Channel): Promise<void> {
  const held = (await rowsOf(channel)).filter((row) => row.status === 'held');
  const next_attempt_at = new Date().toISOString();
  await stack.parts.deliveries.write(held.map((row) => ({ ...row, next_attempt_at, version: row.version + 1 })));
}

const away = (path: string) => {
  let up = false;
  stack.receiver.answer(path, (_message, res) => void res.writeHead(up ? 200 : 503).end());
  return { comesBack: () => void (up = true) };
};

describe('quiet hours', () => {
  test('an opening that was held until its alert grew worse and ended is not told after its end', async () => {
    const { channel, step, told } = await setUp('/night', night());
    await stack.tell([step(0, {})]);
    await until(() => fates(channel), ['opened held quiet hours']);
    await stack.tell([step(10, { notify: 'severity_raised', severity: 'critical' })]);
    await until(told, ['severity_raised']);
    await stack.tell([step(60, { notify: 'resolved', severity: 'critical' })]);
    await until(told, ['severity_raised', 'resolved']);
    await morning(channel);
    await until(() => fates(channel), ['opened dropped over before it was sent', 'opened sent', 'resolved sent']);
    expect(told()).toEqual(['severity_raised', 'resolved']);
  });

  test('what was told meanwhile, silenced or acknowledged is not let go when they end', async () => {
    const { channel, step, told, organization } = await setUp('/settled', night());
    const about = (key: string, request: EventRequest = {}) => step(0, { key, ...request });
    const seen = about('seen');
    const held = [seen, about('worse'), about('muted'), about('news')];
    await stack.tell(held);
    await until(async () => (await fates(channel)).length, 4);
    await stack.tell([step(1, { key: 'worse', notify: 'severity_raised', severity: 'critical' })]);
    await until(told, ['severity_raised']);
    await acknowledgeAlert(stack.store, { alertKey: seen.alert_key, alertId: seen.alert_id, actor: 'ada' });
    await stack.parts.silences.create({
      organization_id: organization,
      matchers: { key_ids: ['muted'] },
      starts_at: new Date(Date.now() - 1_000).toISOString(),
      ends_at: new Date(Date.now() + 600_000).toISOString(),
      reason: 'maintenance',
      created_by: 'test',
    });
    await morning(channel);
    const expected = {
      seen: 'dropped acknowledged before quiet hours ended',
      worse: 'dropped a later message told it',
      muted: 'dropped silenced before quiet hours ended',
      news: 'sent',
    };
    await until(async () => {
      const openings = (await rowsOf(channel)).filter((row) => held.some(({ event_id }) => event_id === row.event_id));
      return Object.fromEntries(openings.map((row) => [row.key_id, `${row.status} ${row.reason}`.trim()]));
    }, expected);
    expect(told()).toEqual(['severity_raised', 'opened']);
  });
});

describe('a receiver that is away', () => {
  test('hears of the opening before its end, and of the end as soon as it heard of the opening', async () => {
    const { channel, step, told } = await setUp('/away');
    const receiver = away('/away');
    await stack.tell([step(0, {})]);
    await until(() => fates(channel), ['opened retrying answered 503']);
    receiver.comesBack();
    await stack.tell([step(5, { notify: 'resolved' })]);
    await until(() => fates(channel), ['opened sent', 'resolved sent']);
    expect(told()).toEqual(['opened', 'resolved']);
    const [opening, end] = stack.receiver.accepted('/away').map(({ body }) => body.threadId);
    expect(end).toBe(opening);
  });

  test('does not hear of an end later because another opening is still tried', async () => {
    const { channel, step, told } = await setUp('/poison');
    stack.receiver.answer('/poison', ({ body }, res) => {
      const poison = body.notices.some(({ event }: Notice) => event.key_id === 'poison' && event.notify === 'opened');
      res.writeHead(poison ? 503 : 200).end();
    });
    await stack.tell([step(0, { key: 'well' })]);
    await until(told, ['opened']);
    await stack.tell([step(0, { key: 'poison' })]);
    await until(() => fates(channel), ['opened retrying answered 503', 'opened sent']);
    await stack.tell(['poison', 'well'].map((key) => step(5, { key, notify: 'resolved' })));
    await until(told, ['opened', 'resolved']);
    await until(
      () => fates(channel),
      ['opened failed answered 503', 'opened sent', 'resolved dropped its opening was not told here', 'resolved sent'],
    );
    // Sent again by hand it arrives, and its end after it.
    stack.receiver.answer('/poison', (_message, res) => void res.end());
    const failed = (await rowsOf(channel)).filter(({ status }) => status === 'failed');
    expect(await replay(stack.parts, failed)).toEqual({ messages: 2, deliveries: 2 });
    await until(() => fates(channel), ['opened sent', 'opened sent', 'resolved sent', 'resolved sent']);
    expect(told()).toEqual(['opened', 'resolved', 'opened', 'resolved']);
  });
});

test('a replay of what was told and is over tells its end again, after it', async () => {
  const { channel, step } = await setUp('/again');
  await stack.tell([step(0, {})]);
  await until(() => fates(channel), ['opened sent']);
  await stack.tell([step(5, { notify: 'resolved' })]);
  await until(() => fates(channel), ['opened sent', 'resolved sent']);
  const opening = (await rowsOf(channel)).filter(({ notify }) => notify === 'opened');
  await replay(stack.parts, opening);
  const requests = () => stack.receiver.requests.filter(({ path }) => path === '/again');
  await until(
    () => requests().map(({ body }) => body.notices[0].event.notify),
    ['opened', 'resolved', 'opened', 'resolved'],
  );
});

describe('a silence', () => {
  test('keeps news back, and no end of what was told', async () => {
    const { channel, step, told, organization } = await setUp('/muted');
    await stack.tell([step(0, {})]);
    await until(told, ['opened']);
    await stack.parts.silences.create({
      organization_id: organization,
      matchers: {},
      starts_at: new Date(Date.now() - 1_000).toISOString(),
      ends_at: new Date(Date.now() + 600_000).toISOString(),
      reason: 'muted from a message',
      created_by: 'test',
    });
    await stack.tell([step(1, { key: 'other' }), step(1, { notify: 'repeated' })]);
    await until(() => fates(channel), ['opened dropped silenced', 'opened sent', 'repeated dropped silenced']);
    await stack.tell([step(5, { notify: 'resolved' })]);
    await until(told, ['opened', 'resolved']);
  });

  test('an end goes where its opening went, also when the channel hears less by now', async () => {
    const { channel, step, told } = await setUp('/narrowed');
    await stack.tell([step(0, {})]);
    await until(() => fates(channel), ['opened sent']);
    await stack.parts.channels.change(channel, { routing: { kinds: ['latency'] } });
    await stack.tell([step(5, { notify: 'resolved' })]);
    await until(told, ['opened', 'resolved']);
  });
});
