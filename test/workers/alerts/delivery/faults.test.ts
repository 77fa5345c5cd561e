import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { AlertEvent } from '../../../../workers/alerts/alert.ts';
import { channelProblems } from '../../../../workers/alerts/delivery/channel-trouble.ts';
import type { Channel } from '../../../../workers/alerts/delivery/channels.ts';
import { alertEvent } from '../../../support/alert-events.ts';
import type { Answering } from '../../../support/delivery-receiver.ts';
import { type DeliveryStack, startDeliveryStack } from '../../../support/delivery-stack.ts';

/** An hour of the retry table is a second here. */
const HOUR_MS = 1_000;
const TABLE = [0, 2, 83, 500, 2_000].map((ms) => (ms / 1_000) * HOUR_MS);

let stack: DeliveryStack;
beforeAll(async () => {
  stack = await startDeliveryStack({
    retryTableMs: TABLE,
    random: () => 0,
    waits: { normalMs: 50, soonMs: 50, urgentMs: 50 },
  });
});
afterAll(() => stack.close());

let organizations = 0;
/** A channel of an organization of its own that answers as told. */
async function channelThat(path: string, answering: Answering): Promise<Channel> {
  stack.receiver.answer(path, answering);
  return stack.channel(path, { organization_id: `organization-${organizations++}` });
}

async function rowsOf(channel: Channel) {
  return (await stack.deliveries()).filter((row) => row.channel_id === channel.channel_id);
}

const tellTo = (channel: Channel, key = 'k') =>
  stack.tell([alertEvent({ organization: channel.organization_id, key: `${key}-${channel.channel_id}` })]);

const fails =
  (status: number, headers: Record<string, string> = {}): Answering =>
  (_message, res) =>
    void res.writeHead(status, headers).end('never shown');

/** Answers in turn, then 200. */
function first(...answers: Answering[]): Answering {
  return (message, res) => (answers.shift() ?? fails(200))(message, res);
}

test('a receiver that is down for an "hour" gets everything once it is back, each message under its id', async () => {
  // Attempts at 0 s, 5 s, 5 min and 35 min meet nobody; the fifth comes after two hours and more.
  const met = new Map<string, number>();
  const channel = await channelThat('/down', (message, res) => {
    const times = (met.get(message.id) ?? 0) + 1;
    met.set(message.id, times);
    if (times <= 4) res.destroy();
    else res.end();
  });
  for (let n = 0; n < 5; n++) await tellTo(channel, `down-${n}`);
  const statuses = async () => (await rowsOf(channel)).map((row) => row.status);
  await expect.poll(statuses).toEqual(Array(5).fill('sent'));
  const told = stack.receiver.accepted('/down').flatMap(({ body }) => body.notices);
  expect(new Set(told.map((notice) => notice.event.event_id)).size).toBe(5);
  expect(told.length).toBe(5);
  expect((await rowsOf(channel)).map((row) => row.attempts)).toEqual(Array(5).fill(5));
});

test('a dead and a slow receiver do not hold up the others', async () => {
  const dead = await channelThat('/dead', () => undefined);
  const slow = await channelThat('/slow', (_message, res) => void setTimeout(() => res.end(), 2_000));
  const quick = await channelThat('/quick', fails(200));
  for (let n = 0; n < 30; n++) {
    for (const channel of [dead, slow]) await tellTo(channel, `held-${n}`);
  }
  await tellTo(quick);
  await expect.poll(() => stack.receiver.accepted('/quick').length).toBe(1);
  expect((await rowsOf(slow)).filter(({ status }) => status === 'sent').length).toBeLessThan(30);
  // Closed, so that nothing of these two is under way in the tests that follow.
  for (const channel of [dead, slow]) await stack.parts.channels.change(channel, { enabled: false });
  stack.receiver.answer('/dead', fails(200));
  stack.receiver.answer('/slow', fails(200));
});

test('500 is tried again, and the answer is not kept', async () => {
  const channel = await channelThat('/500', first(fails(500), fails(503)));
  await tellTo(channel);
  await expect.poll(async () => (await rowsOf(channel))[0]?.status).toBe('sent');
  expect(await rowsOf(channel)).toMatchObject([{ attempts: 3, response_status: 200, reason: '' }]);
  expect(JSON.stringify(await stack.deliveries())).not.toContain('never shown');
});

test('429 with Retry-After is waited for', async () => {
  const channel = await channelThat('/429', first(fails(429, { 'Retry-After': '2' })));
  await tellTo(channel);
  await expect.poll(async () => (await rowsOf(channel))[0]?.status).toBe('retrying');
  const [row] = await rowsOf(channel);
  // The table alone would have said 2 ms.
  const askedMs = stack.receiver.requests.find(({ path }) => path === '/429')!.atMs;
  expect(Date.parse(row!.next_attempt_at!) - askedMs).toBeGreaterThanOrEqual(2_000);
  await expect.poll(async () => (await rowsOf(channel))[0]?.status).toBe('sent');
});

test('410 switches the channel off, and another channel of the organization hears of it', async () => {
  const gone = await channelThat('/gone', fails(410));
  const other = await stack.channel('/other', {
    organization_id: gone.organization_id,
    routing: { kinds: ['platform'] },
  });
  await tellTo(gone);
  await expect.poll(() => stack.receiver.accepted('/other').length).toBe(1);
  const [message] = stack.receiver.accepted('/other');
  expect(message!.body.notices[0].event.evidence.summary).toContain('was switched off: answered 410');
  const after = await stack.parts.channels.find(gone.channel_id);
  expect(after).toMatchObject({ enabled: false, disabled_reason: 'answered 410' });
  expect(await rowsOf(gone)).toMatchObject([{ status: 'failed', attempts: 1, response_status: 410 }]);
  const audit = await stack.store.query<{ action: string }>(
    'SELECT action FROM audit WHERE subject = {subject:String}',
    { subject: gone.channel_id },
  );
  expect(audit).toEqual([{ action: 'channel.disabled' }]);
  await tellTo(gone, 'later');
  await tellTo(other, 'later');
  expect(stack.receiver.requests.filter(({ path }) => path === '/gone').length).toBe(1);
});

test('after the last attempt a delivery has failed, and the channel says why', async () => {
  const channel = await channelThat('/never', fails(302, { Location: `${stack.receiver.url}/followed` }));
  await tellTo(channel);
  await expect.poll(async () => (await rowsOf(channel))[0]?.status).toBe('failed');
  expect(await rowsOf(channel)).toMatchObject([
    { attempts: TABLE.length, reason: 'answered 302', next_attempt_at: null },
  ]);
  const problems = await channelProblems(stack.redis, [channel.channel_id]);
  expect(problems.get(channel.channel_id)).toBe('answered 302');
  expect(stack.receiver.requests.filter(({ path }) => path === '/followed')).toEqual([]);
});

describe('a message that is given up', () => {
  const about = (path: string) =>
    stack.receiver
      .accepted(path)
      .flatMap(({ body }) => body.notices.map((notice: { event: AlertEvent }) => notice.event.evidence.summary));
  const failed = async (channel: Channel) => (await rowsOf(channel)).filter(({ status }) => status === 'failed').length;
  const patience = { timeout: 20_000 };

  test('is told once to the other channels of the organization and of the platform, until it works again', async () => {
    const channel = await channelThat('/given-up', fails(400));
    const { organization_id } = channel;
    const routing = { kinds: ['platform' as const] };
    await stack.channel('/colleague', { organization_id, routing });
    await stack.channel('/platform', {
      organization_id: '',
      routing: { ...routing, organizations: [organization_id] },
    });
    await stack.channel('/stranger', { organization_id: 'another one', routing });
    for (const key of ['one', 'two', 'three']) await tellTo(channel, key);
    await expect.poll(() => failed(channel), patience).toBe(3);
    const expected = expect.stringMatching(
      /^A message( about \d events)? to the webhook channel "test" was given up after 5 attempts: answered 400\. /,
    );
    await expect.poll(() => about('/colleague'), patience).toEqual([expected]);
    await expect.poll(() => about('/platform'), patience).toEqual([expected]);
    // Redis forgets that it was told; the log of alerts does not.
    await stack.redis.del(`{keytally-delivery}:given-up:${channel.channel_id}`);
    await tellTo(channel, 'four');
    await expect.poll(() => failed(channel), patience).toBe(4);
    expect([about('/colleague').length, about('/platform').length, about('/stranger')]).toEqual([1, 1, []]);
    const notices = (await stack.deliveries()).filter(
      (row) => row.kind === 'platform' && row.organization_id === organization_id,
    );
    expect(notices.map((row) => row.status)).toEqual(['sent', 'sent']);
    expect(notices.every((row) => row.channel_id !== channel.channel_id)).toBe(true);
  });

  test('two channels that both fail do not tell each other for ever', async () => {
    const one = await channelThat('/both-1', fails(400));
    stack.receiver.answer('/both-2', fails(400));
    const other = await stack.channel('/both-2', { organization_id: one.organization_id });
    await tellTo(one);
    // Of each: the alert, and the notice about the other.
    await expect.poll(async () => [await failed(one), await failed(other)], patience).toEqual([2, 2]);
    const log = await stack.store.query<{ n: number }>(
      "SELECT count() AS n FROM alert_events WHERE kind = 'platform' AND organization_id = {organization:String}",
      { organization: one.organization_id },
    );
    expect(log).toEqual([{ n: 2 }]);
  });
});
