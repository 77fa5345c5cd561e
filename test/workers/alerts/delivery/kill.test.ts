import { randomUUID } from 'node:crypto';
import { appendFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Queue } from 'bullmq';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { AlertEvent } from '../../../../workers/alerts/alert.ts';
import { Channels } from '../../../../workers/alerts/delivery/channels.ts';
import type { Delivery } from '../../../../workers/alerts/delivery/deliveries.ts';
import { type DeliveryJob, handOver, handOverKeyEvents } from '../../../../workers/alerts/outbox.ts';
import type { Store } from '../../../../workers/clickhouse/store.ts';
import { type KeyEvent, writeEvents } from '../../../../workers/keys/events.ts';
import { alertEvent, writeAlertEvents } from '../../../support/alert-events.ts';
import type { DeliveryReceiver } from '../../../support/delivery-receiver.ts';
import { channelFields } from '../../../support/delivery-stack.ts';
import { Random } from '../../../support/random.ts';
import { type DeliveryFleet, startDeliveryFleet } from './delivery-fleet.ts';

/** DELIVERY_KILLS=50 for the long run. */
const KILLS = Number(process.env.DELIVERY_KILLS ?? 2);
const SEED = Number(process.env.DELIVERY_SEED ?? 5);
const PROCESSES = 3;

const SETTINGS = {
  waits: { normalMs: 400, soonMs: 200, urgentMs: 100 },
  retryTableMs: [0, 50, 100, 200, 300, 300, 300, 300, 300, 300, 300, 300],
  settleMs: 1_500,
  relayCron: '*/2 * * * * *',
  lockMs: 1_500,
};

let fleet: DeliveryFleet;
let store: Store;
let queue: Queue<DeliveryJob>;
let receiver: DeliveryReceiver;

beforeAll(async () => {
  fleet = await startDeliveryFleet(SETTINGS);
  ({ store, queue, receiver } = fleet);
}, 120_000);
afterAll(() => fleet.close());

const random = new Random(SEED);
const events: AlertEvent[] = [];
const keyEvents: KeyEvent[] = [];

/** A few steps of alerts and changes of keys; of some, the process that wrote them dies before it hands them over. */
async function happen(): Promise<void> {
  const opened = Array.from({ length: random.integer(1, 4) }, () => {
    const n = events.length + random.integer(0, 1_000_000) * 10_000;
    return alertEvent({ key: `key-${n}`, organization: `organization-${n % 400}`, kind: random.pick(KINDS) });
  });
  // Some end at once, some later.
  const ended = [...opened, ...events.slice(-20)]
    .filter((event) => event.notify === 'opened' && random.next() < 0.1)
    .filter((event) => !events.some((other) => other.alert_id === event.alert_id && other.notify === 'resolved'))
    .map((event) => resolvedOf(event));
  await writeAlertEvents(store, [...opened, ...ended]);
  events.push(...opened, ...ended);
  if (random.next() > 0.2) await handOver(queue, [...opened, ...ended]);
  const at = new Date().toISOString();
  const changed = { id: `key@${keyEvents.length}`, at, key_id: `key-${keyEvents.length % 7}`, organization_id: 'acme' };
  const keyEvent: KeyEvent = { ...changed, type: 'key.deactivated', data: { id: changed.id, status: 'inactive' } };
  await writeEvents(store, [keyEvent]);
  keyEvents.push(keyEvent);
  if (random.next() > 0.2) await handOverKeyEvents(queue, [keyEvent]);
}

const KINDS = ['key_leaked', 'key_deactivated', 'platform', 'key_expiring'] as const;

function resolvedOf(event: AlertEvent): AlertEvent {
  const { key_id: key, organization_id: organization, kind } = event;
  const openedAtMs = Date.parse(event.at);
  return alertEvent({ key, organization, kind, openedAtMs, atMs: openedAtMs + 1, notify: 'resolved' });
}

async function untilQuiet(): Promise<Delivery[]> {
  const wanted = events.length * 2 + keyEvents.length;
  await expect
    .poll(
      async () => {
        const [counts] = await store.query<{ rows: number; open: number }>(
          "SELECT count() AS rows, countIf(status NOT IN ('sent', 'dropped')) AS open FROM deliveries FINAL",
        );
        if (process.env.DELIVERY_WATCH) await watch();
        return counts;
      },
      { timeout: 60_000 + KILLS * 4_000, interval: 250 },
    )
    .toEqual({ rows: wanted, open: 0 });
  return store.query<Delivery>('SELECT * FROM deliveries FINAL');
}

/** For looking at a run that does not end. */
async function watch(): Promise<void> {
  const rows = await store.query(
    `SELECT status, reason, message_id != '' AS bound, max(attempts) AS attempts, count() AS n FROM deliveries FINAL
     GROUP BY status, reason, bound ORDER BY status, n DESC`,
  );
  const jobs = await queue.getJobCounts('waiting', 'active', 'delayed', 'failed');
  appendFileSync(
    process.env.DELIVERY_WATCH!,
    `${new Date().toISOString()} ${JSON.stringify(jobs)} ${(await queue.getFailed()).map((job) => job.id + ' ' + job.failedReason)} ${JSON.stringify(rows)}\n`,
  );
}

/** How often each event arrived on a path, repeats of a message counted once. */
function arrivals(path: string): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { body } of receiver.accepted(path)) {
    const ids = path === '/keys' ? [body.keyEvent.data.id] : body.notices.map((notice: never) => eventId(notice));
    for (const id of ids) counts.set(id, (counts.get(id) ?? 0) + 1);
  }
  return counts;
}

const eventId = (notice: { event: AlertEvent }): string => notice.event.event_id;

test(
  `${PROCESSES} processes, kill -9 ${KILLS} times while events flow: each arrives once in each channel`,
  async () => {
    const channels = new Channels(store);
    for (const path of ['/a', '/b']) {
      await channels.create(randomUUID(), channelFields(receiver.url + path, { organization_id: '' }));
      // Every tenth attempt fails after the message was taken in: the sender cannot know.
      receiver.answer(path, (_message, res) => void setTimeout(() => res.writeHead(failing() ? 500 : 200).end(), 20));
    }
    const platform = channelFields(`${receiver.url}/keys`, { organization_id: '', purpose: 'key_events' });
    await channels.create(randomUUID(), platform);
    const alive = await Promise.all(Array.from({ length: PROCESSES }, () => fleet.start()));
    const startedAt = Date.now();
    for (let kill = 0; kill < KILLS; kill++) {
      const until = Date.now() + random.integer(100, 700);
      while (Date.now() < until) {
        await happen();
        await sleep(60);
      }
      const victim = random.integer(0, PROCESSES - 1);
      alive[victim]!.kill('SIGKILL');
      await happen();
      alive[victim] = await fleet.start();
    }
    const flowed = Date.now() - startedAt;
    const rows = await untilQuiet();
    const repeats = receiver.requests.length - new Set(receiver.requests.map(({ path, id }) => path + id)).size;
    console.log(
      `${events.length} events and ${keyEvents.length} changes of keys in ${flowed} ms, ${KILLS} kills: ` +
        `${receiver.requests.length} requests, ${repeats} of them repeats; quiet ${Date.now() - startedAt - flowed} ms later`,
    );
    const dropped = new Set(
      rows.filter(({ status }) => status === 'dropped').map((row) => row.channel_id + row.event_id),
    );
    for (const { channel_id, settings } of await channels.list()) {
      const path = new URL(String(settings.url)).pathname;
      const seen = arrivals(path);
      const expected = path === '/keys' ? keyEvents.map(({ id }) => id) : events.map(({ event_id }) => event_id);
      const wrong = expected.filter((id) => (seen.get(id) ?? 0) !== (dropped.has(channel_id + id) ? 0 : 1));
      expect({ path, wrong }).toEqual({ path, wrong: [] });
    }
    expectOnlyPairsDropped(rows);
    expectSameContentUnderOneId();
  },
  200_000 + KILLS * 10_000,
);

const failing = (): boolean => random.next() < 0.1;

/** What was not told is an opening with its end, which passed before their message left. */
function expectOnlyPairsDropped(rows: readonly Delivery[]): void {
  const byAlert = groupBy(
    rows.filter(({ status }) => status === 'dropped'),
    (row) => `${row.channel_id} ${row.alert_id}`,
  );
  for (const [alert, pair] of byAlert) {
    expect([alert, pair.map(({ notify }) => notify).toSorted()]).toEqual([alert, ['opened', 'resolved']]);
  }
}

function expectSameContentUnderOneId(): void {
  for (const [id, requests] of groupBy(receiver.requests, ({ path, id }) => `${path} ${id}`)) {
    expect([id, new Set(requests.map(({ text }) => text)).size]).toEqual([id, 1]);
  }
}

function groupBy<Item>(items: readonly Item[], name: (item: Item) => string): Map<string, Item[]> {
  const groups = new Map<string, Item[]>();
  for (const item of items) groups.set(name(item), [...(groups.get(name(item)) ?? []), item]);
  return groups;
}
