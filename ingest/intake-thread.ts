// Program of an intake thread: see threaded-intake.ts, which starts it.
import { parentPort, workerData } from 'node:worker_threads';
import { type FromThread, failureOf, type ThreadStart, type ToThread } from './intake-messages.ts';
import { startDirectIntake } from './intake-part.ts';
import { createLogger } from './logger.ts';
import { ingestMetrics } from './metrics.ts';
import { startTracing, within } from './tracing.ts';

const { config, redisUrl } = workerData as ThreadStart;
const port = parentPort!;
const tell = (message: FromThread) => port.postMessage(message);

const log = createLogger(config, 'collector');
const tracing = await startTracing(config, 'collector', log);
const intake = await startDirectIntake(config, redisUrl, log);

async function take({ id, request, trace }: Extract<ToThread, { kind: 'take' }>): Promise<void> {
  const { buffer, byteOffset, byteLength } = request.body;
  const body = Buffer.from(buffer, byteOffset, byteLength);
  try {
    tell({ kind: 'answer', id, answer: await within(trace, () => intake.take({ ...request, body })) });
  } catch (error) {
    tell({ kind: 'failed', id, failure: failureOf(error) });
  }
}

async function close(): Promise<void> {
  await intake.close();
  await tracing.close();
  // Nothing else keeps the thread alive.
  port.close();
}

port.on('message', (message: ToThread) => {
  if (message.kind === 'take') void take(message);
  else if (message.kind === 'close') void close();
  else void ingestMetrics.getMetricsAsJSON().then((metrics) => tell({ kind: 'metrics', id: message.id, metrics }));
});
tell({ kind: 'ready' });
