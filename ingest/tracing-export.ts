// Loaded only when tracing is on.
import * as api from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { defaultResource, resourceFromAttributes } from '@opentelemetry/resources';
import { BasicTracerProvider, BatchSpanProcessor } from '@opentelemetry/sdk-trace-base';
import type { Logger } from './logger.ts';

/** Sends spans to `{endpoint}/v1/traces`. */
export async function openTracing(
  endpoint: string,
  service: { name: string; part: string },
  log: Logger,
): Promise<{ api: typeof api; close(): Promise<void> }> {
  const warn = (message: string) => log.warn({ about: message.slice(0, 300) }, 'OpenTelemetry');
  const silent = () => {};
  api.diag.setLogger({ error: warn, warn, info: silent, debug: silent, verbose: silent });
  const exporter = new OTLPTraceExporter({ url: `${endpoint.replace(/\/+$/, '')}/v1/traces` });
  const provider = new BasicTracerProvider({
    resource: defaultResource().merge(
      resourceFromAttributes({ 'service.name': service.name, 'keytally.part': service.part }),
    ),
    spanProcessors: [new BatchSpanProcessor(exporter)],
  });
  api.context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  api.trace.setGlobalTracerProvider(provider);
  return {
    api,
    close: async () => {
      await provider.shutdown();
      api.trace.disable();
      api.context.disable();
      api.diag.disable();
    },
  };
}
