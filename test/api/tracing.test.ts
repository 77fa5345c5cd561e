import { spawnSync } from 'node:child_process';
import { afterAll, expect, test } from 'vitest';
import { builtModule } from '../support/built-module.ts';
import { DeliveryReceiver } from '../support/delivery-receiver.ts';
import { OtlpReceiver, type ReceivedSpan } from '../support/otlp-receiver.ts';
import { startStack } from '../support/stack.ts';

const [SERVER, CLIENT, PRODUCER, CONSUMER] = [2, 3, 4, 5];
const ERROR = 2;
const GATEWAY = { traceId: '4bf92f3577b34da6a3ce929d0e0e4736', spanId: '00f067aa0ba902b7' };
const closing: (() => Promise<unknown>)[] = [];
afterAll(async () => {
  for (const close of closing) await close();
});

async function traced(env: Record<string, string> = {}) {
  const otlp = await OtlpReceiver.start();
  closing.push(() => otlp.close());
  const stack = await startStack({ OTEL_EXPORTER_OTLP_ENDPOINT: `${otlp.url}/`, OTEL_SERVICE_NAME: 'counts', ...env });
  return { otlp, stack };
}

const only = (spans: readonly ReceivedSpan[]): ReceivedSpan => {
  expect(spans).toHaveLength(1);
  return spans[0]!;
};

test('a POST, its batch, its insert are one trace, which is that of the gateway; a second POST in the batch is linked', async () => {
  const { otlp, stack } = await traced({ INGEST_LINGER_MS: '250' });
  const key = 'sk_live_plantedplanted';
  const headers = { traceparent: `00-${GATEWAY.traceId}-${GATEWAY.spanId}-01` };
  const path = '/v1/requests?secret=planted-query';
  const body = [{ key, status: 200, path: '/v1/planted-path' }];
  const pair = () =>
    Promise.all([
      stack.call(path, { method: 'POST', body, headers }),
      stack.call('/v1/ingest/keytally', { method: 'POST', body: [{ key_id: 'b', status: 500 }] }),
    ]);
  // On a busy machine the second may miss the batch of the first.
  let answers = await pair();
  let pairs = 1;
  for (; answers[0].json.batch_id !== answers[1].json.batch_id && pairs < 20; pairs++) answers = await pair();
  await stack.untilCounted(pairs * 2);
  await stack.stop();
  const batchId = answers[0].json.batch_id;
  const ofBatch = (name: string) =>
    only(otlp.named(name).filter((span) => span.about['messaging.message.id'] === batchId));
  const [sent, processed] = [ofBatch('send batches'), ofBatch('process batches')];
  const causes = [sent.parentSpanId, ...(sent.links ?? []).map(({ spanId }) => spanId)];
  const cameBy = (name: string) => only(otlp.named(name).filter((span) => causes.includes(span.spanId)));
  const [first, second] = [cameBy('POST /v1/requests'), cameBy('POST /v1/ingest/:format')];
  const inserted = only(otlp.named('INSERT requests').filter((span) => span.parentSpanId === processed.spanId));
  expect([first, second, sent, processed, inserted].map(({ kind }) => kind)).toEqual([
    ...[SERVER, SERVER, PRODUCER, CONSUMER, CLIENT],
  ]);
  expect(first).toMatchObject({ traceId: GATEWAY.traceId, parentSpanId: GATEWAY.spanId });
  expect(second.traceId).not.toBe(GATEWAY.traceId);
  // Which of the two came first into the batch is not said.
  const [cause, other] = sent.parentSpanId === first.spanId ? [first, second] : [second, first];
  expect(sent).toMatchObject({ traceId: cause.traceId, parentSpanId: cause.spanId });
  expect(sent.links).toMatchObject([{ traceId: other.traceId, spanId: other.spanId }]);
  expect(processed).toMatchObject({ traceId: cause.traceId, parentSpanId: sent.spanId });
  expect(inserted).toMatchObject({ traceId: cause.traceId, parentSpanId: processed.spanId });
  expect(first.about).toMatchObject({ 'http.response.status_code': 202, 'resource.service.name': 'counts' });
  expect(processed.about).toMatchObject({ 'keytally.rows': 2 });
  for (const secret of ['planted', 'kt_']) expect(otlp.text).not.toContain(secret);
});

test('an alert is one trace from its hand-over to the receiver; an attempt that failed is told', async () => {
  const receiver = await DeliveryReceiver.start();
  closing.push(() => receiver.close());
  const { otlp, stack } = await traced({ WEBHOOK_ALLOW_PRIVATE: '127.0.0.1', ALERT_LIMITS_CRON: '* * * * * *' });
  let attempts = 0;
  receiver.answer('/hook', (_message, res) => void res.writeHead(attempts++ === 0 ? 500 : 200).end());
  await stack.call('/v1/channels', {
    method: 'POST',
    body: { name: 'on call', type: 'webhook', settings: { url: `${receiver.url}/hook` } },
  });
  await stack.call('/v1/keys/key_1', { method: 'PUT', body: { name: 'one' } });
  await stack.call('/v1/keys/key_1/deactivate', { method: 'POST', body: { reason: 'test' } });
  await expect.poll(() => attempts).toBe(2);
  await stack.stop();
  const routed = only(otlp.named('process delivery route'));
  // Handed over again where routing takes its time; the job is the first one's.
  const handed = otlp.named('send delivery').find(({ spanId }) => spanId === routed.parentSpanId)!;
  const [failed, succeeded] = otlp
    .named('send webhook')
    .toSorted((a, b) =>
      Number(a.about['http.response.status_code']) < Number(b.about['http.response.status_code']) ? 1 : -1,
    );
  expect(handed).toMatchObject({ traceId: routed.traceId });
  expect(failed!.about).toMatchObject({ 'http.response.status_code': 500, 'keytally.outcome': 'retry' });
  expect(succeeded!.about).toMatchObject({ 'http.response.status_code': 200, 'keytally.outcome': 'sent' });
  const jobs = new Map(otlp.named('process delivery send').map((span) => [span.spanId, span]));
  for (const span of [failed!, succeeded!]) {
    const job = jobs.get(span.parentSpanId!)!;
    expect(job).toMatchObject({ traceId: handed.traceId, parentSpanId: routed.spanId });
    expect(job.status.code).not.toBe(ERROR);
  }
  expect(otlp.text).not.toContain('/hook');
});

test('without an endpoint no exporter is loaded and no job carries a trace', async () => {
  const program = `
    import { startTracing, traced, traceparent, isTracing } from ${JSON.stringify(builtModule('ingest/tracing.ts'))};
    await import(${JSON.stringify(builtModule('ingest/gatherer.ts'))});
    const seen = [];
    await startTracing({ OTEL_SERVICE_NAME: 'x' }, 'worker', undefined);
    await traced('a', { kind: 'SERVER' }, async () => seen.push(traceparent() ?? 'none'));
    const { createRequire } = await import('node:module');
    const loaded = Object.keys(createRequire(import.meta.url).cache) .filter((path) =>
      // The interfaces alone come with prom-client.
      path.includes('@opentelemetry') && !path.includes('@opentelemetry/api/'));
    console.log(JSON.stringify({ seen, loaded, on: isTracing() }));`;
  const ran = spawnSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8' });
  expect(ran.stderr).toBe('');
  expect(JSON.parse(ran.stdout)).toEqual({ seen: ['none'], loaded: [], on: false });
});

test('with a trace collector that is away records are counted, and the program stops', async () => {
  const stack = await startStack({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1' });
  await stack.send([{ key_id: 'a', status: 200 }]);
  await stack.untilCounted(1);
  await stack.stop();
});
