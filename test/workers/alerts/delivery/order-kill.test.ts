import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { AlertEvent } from '../../../../workers/alerts/alert.ts';
import type { Routing } from '../../../../workers/alerts/delivery/channel-routing.ts';
import { type Channel, Channels } from '../../../../workers/alerts/delivery/channels.ts';
import { Deliveries, type Delivery } from '../../../../workers/alerts/delivery/deliveries.ts';
import { handOver } from '../../../../workers/alerts/outbox.ts';
import { alertEvent, type EventRequest, writeAlertEvents } from '../../../support/alert-events.ts';
import { channelFields } from '../../../support/delivery-stack.ts';
import { type DeliveryFleet, startDeliveryFleet } from './delivery-fleet.ts';

/** The order of the steps of one alert, when the process that told the first of them is killed before it tells the next. */
let fleet: DeliveryFleet;
beforeAll(async () => {
  fleet = await startDeliveryFleet({
    waits: { normalMs: 50, soonMs: 50, urgentMs: 50 },
    retryTableMs: [0, ...Array<number>(8).fill(2_000)],
    settleMs: 500,
    relayCron: '* * * * * *',
    lockMs: 1_000,
  });
});
afterAll(() => fleet.close());

async function setUp(path: string, routing: Routing = {}) {
  const organization_id = path.slice(1);
  const channel = await new Channels(fleet.store).create(
    randomUUID(),
    channelFields(fleet.receiver.url + path, { organization_id, routing }),
  );
  const openedAtMs = Date.now();
  const tell = async (minutes: number, request: EventRequest) => {
    const atMs = openedAtMs + minutes * 60_000;
    const event = alertEvent({ organization: organization_id, key: path, openedAtMs, atMs, ...request });
    await writeAlertEvents(fleet.store, [event]);
    await handOver(fleet.queue, [event]);
  };
  const told = () =>
    fleet.receiver
      .accepted(path)
      .flatMap(({ body }) => body.notices.map(({ event }: { event: AlertEvent }) => event.notify));
  return { channel, tell, told };
}

const rowsOf = (channel: Channel): Promise<Delivery[]> =>
  fleet.store.queryWriter<Delivery>('SELECT * FROM deliveries FINAL WHERE channel_id = {channel_id:String}', {
    channel_id: channel.channel_id,
  });
const fates = async (channel: Channel) =>
  (await rowsOf(channel)).map(({ notify, status }) => `${notify} ${status}`).toSorted();
/** The end was looked at by a process, and what it waits for has not arrived: in its own message by now. */
const endIsLookedAt = (channel: Channel) =>
  until(async () => (await rowsOf(channel)).some((row) => row.notify === 'resolved' && row.message_id !== ''), true);
const until = <Value>(read: () => Promise<Value> | Value, expected: Value) => expect.poll(read).toEqual(expected);

test('an opening that is still tried arrives before its end, also when its process was killed in between', async () => {
  const { channel, tell, told } = await setUp('/away');
  let up = false;
  fleet.receiver.answer('/away', (_message, res) => void res.writeHead(up ? 200 : 503).end());
  const first = await fleet.start();
  await tell(0, {});
  await until(() => fates(channel), ['opened retrying']);
  await fleet.kill(first);
  await tell(5, { notify: 'resolved' });
  const second = await fleet.start();
  await endIsLookedAt(channel);
  up = true;
  await until(() => fates(channel), ['opened sent', 'resolved sent']);
  expect(told()).toEqual(['opened', 'resolved']);
  await fleet.kill(second);
});

test('an opening that the receiver took in, its process killed before that was written down, is followed by its end', async () => {
  const { channel, tell, told } = await setUp('/taken');
  let taken = () => {};
  const arrived = new Promise<void>((resolve) => {
    taken = resolve;
  });
  let answers = false;
  fleet.receiver.answer('/taken', (_message, res) => {
    taken();
    if (answers) res.end();
  });
  const first = await fleet.start();
  await tell(0, {});
  await arrived;
  await fleet.kill(first);
  await tell(5, { notify: 'resolved' });
  const second = await fleet.start();
  await endIsLookedAt(channel);
  answers = true;
  await until(() => fates(channel), ['opened sent', 'resolved sent']);
  expect(told()).toEqual(['opened', 'resolved']);
  await fleet.kill(second);
});

test('what quiet hours held and is over by then is not told by the process that lets it go', async () => {
  const clock = (ms: number) => new Date(ms).toISOString().slice(11, 16);
  const quiet_hours = { from: clock(Date.now() - 3_600_000), to: clock(Date.now() + 3_600_000) };
  const { channel, tell, told } = await setUp('/night', { quiet_hours });
  const first = await fleet.start();
  await tell(0, {});
  await until(() => fates(channel), ['opened held']);
  await tell(10, { notify: 'severity_raised', severity: 'critical' });
  await until(told, ['severity_raised']);
  await until(() => fates(channel), ['opened held', 'opened sent']);
  await fleet.kill(first);
  await tell(60, { notify: 'resolved', severity: 'critical' });
  const held = (await rowsOf(channel)).filter(({ status }) => status === 'held');
  const next_attempt_at = new Date().toISOString();
  await new Deliveries(fleet.store).write(held.map((row) => ({ ...row, next_attempt_at, version: row.version + 1 })));
  const second = await fleet.start();
  await until(() => fates(channel), ['opened dropped', 'opened sent', 'resolved sent']);
  expect((await rowsOf(channel)).find(({ status }) => status === 'dropped')?.reason).toBe('over before it was sent');
  expect(told()).toEqual(['severity_raised', 'resolved']);
  await fleet.kill(second);
});
