// Program of an intake thread: see threaded-intake.ts, which starts it.
import { workerData } from 'node:worker_threads';
import type { Intake } from './intake.ts';
import type { IntakeAsk, IntakeStart } from './intake-messages.ts';
import { startDirectIntake } from './intake-part.ts';
import { createLogger } from './logger.ts';
import { ingestMetrics } from './metrics.ts';
import { serveThread } from './serve-thread.ts';
import { startTracing, within } from './tracing.ts';

function take(intake: Intake, { request, trace }: Extract<IntakeAsk, { kind: 'take' }>) {
  const { buffer, byteOffset, byteLength } = request.body;
  const body = Buffer.from(buffer, byteOffset, byteLength);
  return within(trace, () => intake.take({ ...request, body }));
}

await serveThread<IntakeAsk>(async () => {
  const { config, redisUrl } = workerData as IntakeStart;
  const log = createLogger(config, 'collector');
  const tracing = await startTracing(config, 'collector', log);
  const intake = await startDirectIntake(config, redisUrl, log);
  return {
    answer: async (ask) => ({
      answer: await (ask.kind === 'take' ? take(intake, ask) : ingestMetrics.getMetricsAsJSON()),
    }),
    close: async () => {
      await intake.close();
      await tracing.close();
    },
  };
});
