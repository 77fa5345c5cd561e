import { type JobsOptions, Queue } from 'bullmq';
import type { Redis } from '../../ingest/redis.ts';
import type { AlertEvent } from './alert.ts';

/** Queue of everything that is told to people: routing of events, sending of messages, digests. */
export const DELIVERY_QUEUE = 'delivery';
export const DELIVERY_PREFIX = '{keytally-delivery}';

/**
 * `route`: decide which channels hear of an event. `send`: one message to one channel. `relay` and `digest`: one time slot of the schedule.
 */
export type DeliveryJob =
  | { kind: 'route'; event_id: string; alert_key: string }
  | { kind: 'send'; message_id: string; channel_id: string }
  | { kind: 'relay' | 'digest'; slot: string };

const JOB_OPTIONS: JobsOptions = {
  attempts: 10,
  backoff: { type: 'exponential', delay: 1_000, jitter: 0.5 },
  // A repeat of a job that is done must find it: the relay hands over the same events again after a crash.
  removeOnComplete: { age: 24 * 60 * 60, count: 100_000 },
  removeOnFail: { age: 7 * 24 * 60 * 60, count: 10_000 },
  keepLogs: 0,
  stackTraceLimit: 3,
};

export function openDeliveryQueue(connection: Redis): Queue<DeliveryJob> {
  return new Queue<DeliveryJob>(DELIVERY_QUEUE, {
    connection,
    prefix: DELIVERY_PREFIX,
    defaultJobOptions: JOB_OPTIONS,
    streams: { events: { maxLen: 100 } },
  });
}

/**
 * Hands stored events over to delivery. Call it after the insert: an event that a crash keeps from here is found in
 * `alert_events` by the relay. One that people are not to be told of is left out.
 */
export async function handOver(queue: Queue<DeliveryJob>, events: readonly AlertEvent[]): Promise<void> {
  const told = events.filter((event) => event.notify !== '');
  if (told.length === 0) return;
  await queue.addBulk(
    told.map(({ event_id, alert_key }) => ({
      name: 'route',
      data: { kind: 'route' as const, event_id, alert_key },
      opts: { jobId: `route_${event_id}` },
    })),
  );
}
