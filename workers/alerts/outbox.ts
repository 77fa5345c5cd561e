import type { JobsOptions, Queue } from 'bullmq';
import { bullmq } from '../../ingest/bullmq.ts';
import type { Redis } from '../../ingest/redis.ts';
import { traced, traceparent } from '../../ingest/tracing.ts';
import type { AlertEvent } from './alert.ts';

/** Queue of everything that is told to people: routing of events, sending of messages, digests. */
export const DELIVERY_QUEUE = 'delivery';
export const DELIVERY_PREFIX = '{keytally-delivery}';

/**
 * `route`: decide which channels hear of an event. `key_events`: the same for changes of keys. `send`: one message to one
 * channel. `relay` and `digest`: one time slot of the schedule.
 */
export type DeliveryJob = DeliveryTask & {
  /** W3C traceparent of the span that made it; absent without tracing. */
  trace?: string;
};
type DeliveryTask =
  | { kind: 'route'; event_id: string; alert_key: string }
  | { kind: 'key_events'; events: { id: string; key_id: string }[] }
  | { kind: 'send'; message_id: string; channel_id: string }
  | { kind: 'relay' | 'digest'; slot: string };

/** Key events of one job. */
const KEY_EVENTS_CHUNK = 500;

/**
 * Jobs are only alarm clocks: what was decided, tried and sent stands in `deliveries`, so attempts are counted there, a job may
 * start as often as it likes, and one that is lost is made again by the relay. The waits are chosen by `retry-table.ts`.
 */
const JOB_OPTIONS: JobsOptions = {
  attempts: 1_000_000,
  backoff: { type: 'custom' },
  removeOnComplete: { age: 60 * 60, count: 10_000 },
  removeOnFail: { age: 24 * 60 * 60, count: 10_000 },
  keepLogs: 0,
  stackTraceLimit: 3,
};

export function openDeliveryQueue(connection: Redis): Queue<DeliveryJob> {
  return new bullmq.Queue<DeliveryJob>(DELIVERY_QUEUE, {
    connection,
    prefix: DELIVERY_PREFIX,
    defaultJobOptions: JOB_OPTIONS,
    streams: { events: { maxLen: 100 } },
  });
}

function carried(): { trace?: string } {
  const trace = traceparent();
  return trace ? { trace } : {};
}

/**
 * Hands stored events over to delivery. Call it after the insert: an event that a crash keeps from here is found in
 * `alert_events` by the relay. One that people are not to be told of is left out.
 */
export async function handOver(queue: Queue<DeliveryJob>, events: readonly AlertEvent[]): Promise<void> {
  const told = events.filter((event) => event.notify !== '');
  if (told.length === 0) return;
  await traced(`send ${DELIVERY_QUEUE}`, { kind: 'PRODUCER', attributes: { 'keytally.events': told.length } }, () =>
    queue.addBulk(
      told.map(({ event_id, alert_key }) => ({
        name: 'route',
        data: { kind: 'route' as const, event_id, alert_key, ...carried() },
        opts: { jobId: `route_${event_id}` },
      })),
    ),
  );
}

/**
 * Hands changes of keys over to the channels of the platforms that own them. One that is lost here is found by the relay.
 * @param events stored in `key_events`
 */
export async function handOverKeyEvents(
  queue: Queue<DeliveryJob>,
  events: readonly { id: string; key_id: string }[],
): Promise<void> {
  const chunks: { id: string; key_id: string }[][] = [];
  for (let at = 0; at < events.length; at += KEY_EVENTS_CHUNK) {
    chunks.push(events.slice(at, at + KEY_EVENTS_CHUNK).map(({ id, key_id }) => ({ id, key_id })));
  }
  if (chunks.length === 0) return;
  await queue.addBulk(
    chunks.map((chunk) => ({ name: 'key_events', data: { kind: 'key_events', events: chunk, ...carried() } })),
  );
}

/** A message that is to be sent, and when. */
export interface Alarm {
  messageId: string;
  channelId: string;
  dueMs: number;
}

/** Makes sure that messages have their jobs. One that is there stays as it is; one that is over leaves no trace. */
export async function scheduleSends(queue: Queue<DeliveryJob>, alarms: readonly Alarm[]): Promise<void> {
  if (alarms.length === 0) return;
  const nowMs = Date.now();
  await queue.addBulk(
    alarms.map(({ messageId, channelId, dueMs }) => ({
      name: 'send',
      data: { kind: 'send' as const, message_id: messageId, channel_id: channelId, ...carried() },
      opts: { jobId: messageId, delay: Math.max(0, dueMs - nowMs), removeOnComplete: true, removeOnFail: true },
    })),
  );
}

/** Those of the messages that have no job. */
export async function withoutJob<Message extends { messageId: string }>(
  queue: Queue<DeliveryJob>,
  redis: Redis,
  messages: readonly Message[],
): Promise<Message[]> {
  if (messages.length === 0) return [];
  const pipeline = redis.pipeline();
  for (const { messageId } of messages) pipeline.exists(queue.toKey(messageId));
  const answers = (await pipeline.exec()) ?? [];
  return messages.filter((_, at) => answers[at]?.[1] === 0);
}

/** Adds the job of a time slot; of all processes that tick, the first makes it and the others find it there. */
export async function enqueueSlot(queue: Queue<DeliveryJob>, kind: 'relay' | 'digest', tickMs: number): Promise<void> {
  const slot = String(Math.round(tickMs / 1000));
  const keep = { count: 200 };
  await queue.add(
    kind,
    { kind, slot },
    { jobId: `${kind}_${slot}`, attempts: 1, removeOnComplete: keep, removeOnFail: keep },
  );
}
