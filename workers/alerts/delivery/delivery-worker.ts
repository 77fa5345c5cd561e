import type { Job, Queue } from 'bullmq';
import cron, { type ScheduledTask } from 'node-cron';
import { bullmq } from '../../../ingest/bullmq.ts';
import type { Logger } from '../../../ingest/logger.ts';
import type { Redis } from '../../../ingest/redis.ts';
import { traced } from '../../../ingest/tracing.ts';
import { RunningSlots } from '../../running-slots.ts';
import { DELIVERY_PREFIX, DELIVERY_QUEUE, type DeliveryJob, enqueueSlot, openDeliveryQueue } from '../outbox.ts';
import { type DeliveryOptions, type DeliveryParts, deliveryParts } from './delivery-parts.ts';
import { sendDigests } from './digest.ts';
import { deliverKeyEvents } from './key-event-deliveries.ts';
import { relay } from './relay.ts';
import { jobBackoffMs, RunLater } from './retry-table.ts';
import { RouteGatherer } from './route-gatherer.ts';
import { sendMessage } from './send-message.ts';

const MAX_STALLED_COUNT = 1_000_000;
/** An event is stored before it is handed over; a replica that lags gets this much patience before the relay takes over. */
const MISSING_EVENT_MS = 2_000;
const MISSING_EVENT_ATTEMPTS = 5;

export interface DeliveryWorker {
  isRunning(): boolean;
  close(): Promise<void>;
}

/**
 * Takes the jobs of the delivery queue and ticks. Every worker process ticks; a tick only enqueues a job named by its time slot,
 * so one process in the fleet runs it.
 *
 * @param connection separate connection for the worker's blocking reads
 */
export function startDelivery(options: Omit<DeliveryOptions, 'queue'>, connection: Redis): DeliveryWorker {
  const { log, settings } = options;
  const queue = openDeliveryQueue(options.redis);
  queue.on('error', (error) => log.warn({ err: error }, 'delivery queue'));
  const parts = deliveryParts({ ...options, queue });
  const routing = new RouteGatherer(parts);
  const tools: Tools = { routing, slots: new RunningSlots(log) };
  const worker = new bullmq.Worker<DeliveryJob>(DELIVERY_QUEUE, (job) => performTraced(parts, tools, job), {
    connection,
    prefix: DELIVERY_PREFIX,
    concurrency: settings.concurrency,
    lockDuration: settings.lockMs,
    stalledInterval: settings.lockMs / 2,
    maxStalledCount: MAX_STALLED_COUNT,
    settings: {
      backoffStrategy: (attemptsMade, _type, error) => jobBackoffMs(attemptsMade, error, settings.random),
    },
  });
  worker.on('error', (error) => log.warn({ err: error }, 'delivery worker'));
  worker.on('failed', (job, error) => {
    if (!(error instanceof RunLater)) log.warn({ job: job?.id, err: error }, 'delivery job failed, is tried again');
  });
  const ticks = [tick(settings.relayCron, 'relay', queue, log), tick(settings.digestCron, 'digest', queue, log)];
  return {
    isRunning: () => worker.isRunning(),
    close: async () => {
      for (const task of ticks) await task.destroy();
      await worker.close();
      await queue.close();
      await options.sender.close();
    },
  };
}

function tick(expression: string, kind: 'relay' | 'digest', queue: Queue<DeliveryJob>, log: Logger): ScheduledTask {
  return cron.schedule(
    expression,
    async ({ date }) => {
      await enqueueSlot(queue, kind, date.getTime()).catch((error: unknown) =>
        log.warn({ err: error, kind }, 'could not enqueue a scheduled job; the next tick tries again'),
      );
    },
    { timezone: 'UTC' },
  );
}

interface Tools {
  routing: RouteGatherer;
  slots: RunningSlots;
}

/** Jobs that something caused are traced, the slots of the schedule are not: a trace every second would say nothing. */
function performTraced(parts: DeliveryParts, tools: Tools, job: Job<DeliveryJob>): Promise<void> {
  const { kind, trace } = job.data;
  if (!trace) return perform(parts, tools, job);
  const attributes = {
    ...{ 'messaging.system': 'bullmq', 'messaging.destination.name': DELIVERY_QUEUE, 'messaging.message.id': job.id! },
    ...{ 'keytally.attempt': job.attemptsMade + 1 },
  };
  const request = { kind: 'CONSUMER', attributes, parent: trace, isFailure } as const;
  return traced(`process ${DELIVERY_QUEUE} ${kind}`, request, () => perform(parts, tools, job));
}

const isFailure = (error: unknown): boolean => !(error instanceof RunLater);

async function perform(
  parts: DeliveryParts,
  { routing, slots }: Tools,
  { data, attemptsMade }: Job<DeliveryJob>,
): Promise<void> {
  if (data.kind === 'send') return sendMessage(parts, data);
  if (data.kind === 'key_events') return deliverKeyEvents(parts, data.events);
  if (data.kind !== 'route') {
    return slots.run(data.kind, data.slot, () =>
      data.kind === 'relay' ? relay(parts) : sendDigests(parts, Date.now()),
    );
  }
  if (await routing.route(data)) return;
  if (attemptsMade < MISSING_EVENT_ATTEMPTS) throw new RunLater(MISSING_EVENT_MS, 'the event is not stored yet');
}
