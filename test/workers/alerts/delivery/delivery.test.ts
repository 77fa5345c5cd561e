import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import type { AlertEvent } from '../../../../workers/alerts/alert.ts';
import type { AlertNotice } from '../../../../workers/alerts/channels/channel.ts';
import type { Routing } from '../../../../workers/alerts/delivery/channel-routing.ts';
import type { Channel } from '../../../../workers/alerts/delivery/channels.ts';
import type { Delivery } from '../../../../workers/alerts/delivery/deliveries.ts';
import { deliveryParts } from '../../../../workers/alerts/delivery/delivery-parts.ts';
import { sendDigests } from '../../../../workers/alerts/delivery/digest.ts';
import type { GroupWaits } from '../../../../workers/alerts/delivery/grouping.ts';
import { relay } from '../../../../workers/alerts/delivery/relay.ts';
import { handOver } from '../../../../workers/alerts/outbox.ts';
import { Registry } from '../../../../workers/keys/registry.ts';
import { alertEvent, type EventRequest, writeAlertEvents } from '../../../support/alert-events.ts';
import { type DeliveryStack, startDeliveryStack } from '../../../support/delivery-stack.ts';

let stack: DeliveryStack;
beforeAll(async () => {
  stack = await startDeliveryStack();
  await stack.another();
});
afterAll(() => stack.close());

/** Waits of a test; a busy machine must not close a group before its members are there. */
function waitFor(waits: Partial<GroupWaits>): void {
  const before = { ...stack.parts.settings.waits };
  Object.assign(stack.parts.settings.waits, waits);
  onTestFinished(() => void Object.assign(stack.parts.settings.waits, before));
}

const PATIENT = { normalMs: 4_000 };

/** A channel of an organization that no other test uses. */
async function setUp(path: string, routing: Routing = {}) {
  const organization = path.slice(1);
  const channel = await stack.channel(path, { organization_id: organization, routing });
  const event = (request: EventRequest = {}) => alertEvent({ organization, key: `key of ${path}`, ...request });
  return { channel, event, messages: () => stack.receiver.accepted(path) };
}

const rowsOf = async (channel: Channel): Promise<Delivery[]> =>
  (await stack.deliveries()).filter((row) => row.channel_id === channel.channel_id);

const until = <Value>(read: () => Promise<Value> | Value, expected: Value) => expect.poll(read).toEqual(expected);

const statuses = async (channel: Channel) => (await rowsOf(channel)).map((row) => row.status).toSorted();

const endOf = (event: AlertEvent): AlertEvent =>
  alertEvent({
    key: event.key_id,
    organization: event.organization_id,
    kind: event.kind,
    openedAtMs: Date.parse(event.at),
    atMs: Date.parse(event.at) + 60_000,
    notify: 'resolved',
  });

test('an event that is handed over arrives as a message', async () => {
  const { channel, event, messages } = await setUp('/first');
  const opened = event();
  const startedAt = Date.now();
  await stack.tell([opened]);
  await until(() => messages().length, 1);
  const [message] = messages();
  console.log(`from event to receiver: ${message!.atMs - startedAt} ms, of which 300 ms wait for company`);
  expect(message!.id).toMatch(/^msg_[0-9a-f]{32}$/);
  expect(message!.body).toMatchObject({
    messageId: message!.id,
    reason: 'opened',
    threadId: opened.alert_id,
    omitted: 0,
  });
  expect(message!.body.notices[0].event).toEqual(opened);
  await until(() => statuses(channel), ['sent']);
  expect(await rowsOf(channel)).toMatchObject([{ message_id: message!.id, response_status: 200, attempts: 1 }]);
});

test('a crossed limit is told soon', async () => {
  waitFor({ normalMs: 30_000, soonMs: 2_000, urgentMs: 1_000 });
  const { event, messages } = await setUp('/limit');
  const limit = (stepPercent: number) =>
    event({
      kind: 'near_limit',
      key: `k${stepPercent}`,
      evidence: { limit: { period: 'day', used: 1, limit: 1, stepPercent } },
    });
  const startedAt = Date.now();
  await stack.tell([limit(80), limit(100)]);
  await until(() => messages().length, 2);
  console.log(
    `80 % and 100 % of a limit, with the usual waits: ${messages()
      .map(({ atMs, body }) => `${body.notices[0].event.key_id} after ${atMs - startedAt} ms`)
      .join(', ')}`,
  );
});

describe('what is told together', () => {
  test('alerts of one kind and organization travel in one message, the strongest first', async () => {
    waitFor(PATIENT);
    const { channel, event, messages } = await setUp('/together');
    // Of two in the same millisecond either may come first.
    const atMs = Date.now();
    const three = [
      event({ key: 'a', atMs }),
      event({ key: 'b', atMs, severity: 'critical' }),
      event({ key: 'c', atMs: atMs + 1 }),
    ];
    await stack.tell(three);
    await stack.tell([event({ key: 'd', kind: 'latency' })]);
    await until(() => statuses(channel), Array(4).fill('sent'));
    expect(
      messages()
        .map(({ body }) => body.notices.map((notice: { event: AlertEvent }) => notice.event.key_id))
        .toSorted(),
    ).toEqual([['b', 'a', 'c'], ['d']]);
  });

  test('the end of an alert continues the thread of its opening', async () => {
    waitFor(PATIENT);
    const { channel, event, messages } = await setUp('/thread');
    const [one, two] = [event({ key: 'a', severity: 'critical' }), event({ key: 'b' })];
    await stack.tell([one, two]);
    await until(() => statuses(channel), ['sent', 'sent']);
    await stack.tell([endOf(two)]);
    await until(() => messages().length, 2);
    expect(messages().map(({ body }) => [body.reason, body.threadId])).toEqual([
      ['opened', one.alert_id],
      ['resolved', one.alert_id],
    ]);
  });

  test('the first that a channel hears of an alert is its opening, also where it has grown worse', async () => {
    const { channel, event, messages } = await setUp('/worse');
    const openedAtMs = Date.now();
    const step = (key: string, minutes: number, request: EventRequest) =>
      event({ key, openedAtMs, atMs: openedAtMs + minutes * 60_000, ...request });
    const raised = { notify: 'severity_raised' } as const;
    // Of information the channel hears nothing.
    await stack.tell([step('a', 0, { severity: 'info' })]);
    await stack.tell([step('a', 1, raised)]);
    await until(() => statuses(channel), ['sent']);
    await stack.tell([step('a', 2, { ...raised, severity: 'critical' })]);
    await until(() => statuses(channel), ['sent', 'sent']);
    // Both at once, the later one first.
    waitFor(PATIENT);
    await stack.tell([step('b', 1, { ...raised, kind: 'latency' }), step('b', 0, { kind: 'latency' })]);
    await until(() => messages().length, 3);
    expect(messages().map(({ body }) => [body.reason, ...body.notices.map((one: AlertNotice) => one.reason)])).toEqual([
      ['opened', 'opened'],
      ['severity_raised', 'severity_raised'],
      ['severity_raised', 'opened', 'severity_raised'],
    ]);
    expect((await rowsOf(channel)).map(({ notify }) => notify).toSorted()).toEqual([
      ...['opened', 'opened', 'severity_raised', 'severity_raised'],
    ]);
  });

  test('what opened and ended before its message left is not told', async () => {
    waitFor(PATIENT);
    const { channel, event, messages } = await setUp('/passed');
    const opened = event({ key: 'a' });
    await stack.tell([opened, event({ key: 'b' }), endOf(opened)]);
    await until(() => statuses(channel), ['dropped', 'dropped', 'sent']);
    expect(messages().map(({ body }) => body.notices.length)).toEqual([1]);
  });
});

test('the end is told only where the opening was, also when its hand-over overtakes the opening', async () => {
  waitFor(PATIENT);
  const { channel, event, messages } = await setUp('/ends');
  const opened = event();
  await writeAlertEvents(stack.store, [opened, endOf(opened)]);
  await handOver(stack.queue, [endOf(opened)]);
  await until(() => statuses(channel), ['dropped', 'dropped']);
  expect(messages()).toEqual([]);
  const after = await stack.channel('/after', { organization_id: channel.organization_id });
  const again = event({ key: 'again' });
  await stack.tell([again]);
  await until(async () => (await rowsOf(after)).map((row) => row.status), ['sent']);
  const third = await stack.channel('/third', { organization_id: channel.organization_id });
  await stack.tell([endOf(again)]);
  await until(async () => (await rowsOf(third)).map((row) => row.reason), ['its opening was not told here']);
  await until(() => statuses(after), ['sent', 'sent']);
});

describe('nothing twice, nothing lost', () => {
  test('the same event handed over again and again, and by a relay in between, is one message', async () => {
    const { channel, event, messages } = await setUp('/repeated');
    const one = event();
    await stack.tell([one]);
    for (let n = 0; n < 5; n++) {
      await stack.queue.remove(`route_${one.event_id}`);
      await handOver(stack.queue, [one]);
      await relay(stack.parts);
    }
    await until(() => statuses(channel), ['sent']);
    await relay(stack.parts);
    expect(messages().length).toBe(1);
    expect(stack.receiver.requests.filter(({ path }) => path === '/repeated').length).toBe(1);
  });

  test('an event whose hand-over was lost is found by the relay', async () => {
    const { channel, event } = await setUp('/lost');
    await writeAlertEvents(stack.store, [event()]);
    await until(() => statuses(channel), ['sent']);
  });

  test('an event that no channel hears is remembered as routed', async () => {
    const event = alertEvent({ organization: 'nobody listens' });
    await stack.tell([event]);
    const rows = async () => (await stack.deliveries()).filter((row) => row.event_id === event.event_id);
    await until(
      async () => (await rows()).map((row) => [row.channel_id, row.status, row.reason]),
      [['', 'dropped', 'no channel hears it']],
    );
    await relay(stack.parts);
    expect((await rows()).length).toBe(1);
  });

  test('a Redis that lost everything: what waits is sent by the relay', async () => {
    const { channel, event, messages } = await setUp('/flushed');
    let up = false;
    stack.receiver.answer(
      '/flushed',
      (_message, res) => void res.writeHead(up ? 200 : 503, { 'Retry-After': '2' }).end(),
    );
    await stack.tell([event()]);
    await until(() => statuses(channel), ['retrying']);
    await stack.redis.flushall();
    up = true;
    await until(() => statuses(channel), ['sent']);
    expect(messages().length).toBe(1);
    expect(new Set(stack.receiver.requests.filter(({ path }) => path === '/flushed').map(({ id }) => id)).size).toBe(1);
  });
});

describe('not too much', () => {
  test('three anomalies of a key a day, ten of an organization; the rest is one digest', async () => {
    const { channel, event, messages } = await setUp('/budget');
    const noisy = Array.from({ length: 5 }, (_, n) =>
      event({ key: 'noisy', scope: `s${n}`, kind: 'latency', atMs: Date.now() + n }),
    );
    await stack.tell(noisy);
    await until(() => statuses(channel), ['digest', 'digest', 'sent', 'sent', 'sent']);
    await stack.tell(Array.from({ length: 9 }, (_, n) => event({ key: `key-${n}` })));
    await until(async () => (await statuses(channel)).filter((status) => status === 'sent').length, 10);
    // Redis is lost with everything in it: the counts of the day come back from what is written down.
    await stack.redis.flushall();
    await stack.tell([event({ key: 'noisy', scope: 'after the loss', kind: 'latency' }), event({ key: 'key-late' })]);
    await until(async () => (await statuses(channel)).filter((status) => status === 'digest').length, 6);
    const bypass = ['key_expired', 'key_leaked', 'key_deactivated'] as const;
    await stack.tell(bypass.map((kind) => event({ key: 'noisy', kind })));
    await until(async () => (await statuses(channel)).filter((status) => status === 'sent').length, 13);
    const sentBefore = messages().length;
    const tomorrow = Date.now() + 86_400_000;
    await Promise.all([sendDigests(stack.parts, tomorrow), sendDigests(stack.parts, tomorrow)]);
    await sendDigests(stack.parts, tomorrow + 60_000);
    await until(() => statuses(channel), Array(19).fill('sent'));
    const digests = messages().slice(sentBefore);
    expect(digests.map(({ id, body }) => [id.slice(0, 4), body.reason, body.notices.length])).toEqual([
      ['dig_', 'digest', 6],
    ]);
  });

  test('quiet hours hold what is not critical, and let it go when they end', async () => {
    waitFor(PATIENT);
    const clock = (ms: number) => new Date(ms).toISOString().slice(11, 16);
    const quiet = { from: clock(Date.now() - 3_600_000), to: clock(Date.now() + 3_600_000) };
    const { channel, event, messages } = await setUp('/quiet', { quiet_hours: quiet });
    const held = event({ key: 'warned' });
    const brief = event({ key: 'brief' });
    await stack.tell([held, event({ key: 'alarmed', severity: 'critical' }), brief, endOf(brief)]);
    await until(() => statuses(channel), ['held', 'held', 'held', 'sent']);
    expect(messages().map(({ body }) => body.notices[0].event.key_id)).toEqual(['alarmed']);
    // Time passes: the rows say themselves when they are due.
    const rows = (await rowsOf(channel)).filter((row) => row.status === 'held');
    expect(rows.every((row) => Date.parse(row.next_attempt_at!) > Date.now())).toBe(true);
    await stack.parts.deliveries.write(
      rows.map((row) => ({ ...row, next_attempt_at: new Date().toISOString(), version: row.version + 1 })),
    );
    await until(() => statuses(channel), ['dropped', 'dropped', 'sent', 'sent']);
    expect(messages().map(({ body }) => body.notices[0].event.key_id)).toEqual(['alarmed', 'warned']);
  });

  test('what grows worse while quiet hours hold its opening is told as an opening, and the one that was held is not', async () => {
    const clock = (ms: number) => new Date(ms).toISOString().slice(11, 16);
    const quiet = { from: clock(Date.now() - 3_600_000), to: clock(Date.now() + 3_600_000) };
    const { channel, event, messages } = await setUp('/night', { quiet_hours: quiet });
    const openedAtMs = Date.now() - 60_000;
    const opening = event({ key: 'a', openedAtMs, atMs: openedAtMs });
    const raise = { key: 'a', openedAtMs, notify: 'severity_raised', severity: 'critical' } as const;
    await stack.tell([opening]);
    await until(() => statuses(channel), ['held']);
    await stack.tell([event({ ...raise, atMs: openedAtMs + 30_000 })]);
    await until(() => statuses(channel), ['held', 'sent']);
    await stack.tell([event({ ...raise, atMs: openedAtMs + 40_000 })]);
    await until(() => statuses(channel), ['held', 'sent', 'sent']);
    expect(messages().map(({ body }) => body.reason)).toEqual(['opened', 'severity_raised']);
    const [held] = (await rowsOf(channel)).filter((row) => row.status === 'held');
    await stack.parts.deliveries.write([
      { ...held!, next_attempt_at: new Date().toISOString(), version: held!.version + 1 },
    ]);
    await until(() => statuses(channel), ['dropped', 'sent', 'sent']);
    expect(messages()).toHaveLength(2);
  });

  test('what is silenced is not told', async () => {
    const { channel, event, messages } = await setUp('/silenced');
    const silence = await stack.parts.silences.create({
      organization_id: channel.organization_id,
      matchers: { kinds: ['latency'] },
      starts_at: new Date(Date.now() - 1_000).toISOString(),
      ends_at: new Date(Date.now() + 60_000).toISOString(),
      reason: 'maintenance',
      created_by: 'test',
    });
    await stack.tell([event({ kind: 'latency' }), event()]);
    await until(() => statuses(channel), ['dropped', 'sent']);
    expect(messages().map(({ body }) => body.notices[0].event.kind)).toEqual(['error_rate']);
    await stack.parts.silences.expire(silence, Date.now());
    await stack.tell([event({ kind: 'latency', key: 'later' })]);
    await until(() => statuses(channel), ['dropped', 'sent', 'sent']);
  });
});

describe('the platform that owns the keys', () => {
  test('is told every change of a key, also when the hand-over was lost', async () => {
    const { channel, messages } = await setUp('/platform');
    await stack.parts.channels.change(channel, { purpose: 'key_events' });
    const organization_id = channel.organization_id;
    const registry = new Registry(stack.store, stack.redis);
    const acting = { actor: 'ada', reason: 'left the company' };
    await registry.update('owned', () => ({
      ...acting,
      action: 'key.registered',
      fields: { organization_id, name: 'Orders' },
    }));
    const startedAt = Date.now();
    await registry.update('owned', () => ({ ...acting, action: 'key.deactivated', fields: { status: 'inactive' } }));
    await until(() => messages().length, 1);
    const [message] = messages();
    console.log(`from deactivation to the platform: ${message!.atMs - startedAt} ms`);
    expect(message!.id).toMatch(/^evt_/);
    expect(message!.body.keyEvent).toMatchObject({
      type: 'key.deactivated',
      data: { key_id: 'owned', organization_id, status: 'inactive', reason: 'left the company', version: 2 },
    });
    const lost = {
      id: 'owned@lost',
      at: new Date().toISOString(),
      key_id: 'owned',
      organization_id,
      type: 'key.leaked',
    };
    await stack.store.insertRows('key_events', [{ ...lost, data: '{"status":"inactive"}' }]);
    await until(() => messages().map(({ body }) => body.keyEvent.type), ['key.deactivated', 'key.leaked']);
    await until(() => statuses(channel), ['sent', 'sent']);
  });
});

test('Slack is sent one message at a time, over all processes', async () => {
  const [one, other] = [stack.parts.slots, deliveryParts({ ...stack.parts }).slots];
  expect(await one.turn('slack-channel', 'slack')).toBe(0);
  expect(await other.turn('slack-channel', 'slack')).toBeGreaterThan(0);
  expect(await other.turn('another-channel', 'slack')).toBe(0);
  expect([await one.turn('hook', 'webhook'), await one.turn('hook', 'webhook')]).toEqual([0, 0]);
});
