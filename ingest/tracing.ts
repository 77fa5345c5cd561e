import type { Attributes, Context, Span, SpanKind } from '@opentelemetry/api';
import type { Config } from './config.ts';
import type { Logger } from './logger.ts';

/** OpenTelemetry as it was loaded; undefined unless tracing is on: then nothing of it is loaded and nothing is made. */
interface Live {
  api: typeof import('@opentelemetry/api');
  close(): Promise<void>;
}

let live: Live | undefined;

export interface SpanRequest {
  kind: keyof typeof SpanKind;
  attributes?: Attributes;
  /** W3C traceparent of what caused it, where that was in another process; else it belongs to what is under way. */
  parent?: string | undefined;
  /** Traceparents of further causes. */
  links?: readonly string[];
  /** Whether what was raised is a failure; default: it is. */
  isFailure?: (error: unknown) => boolean;
}

/** What a span is told about while it lasts. */
export type Noted = (attributes: Attributes) => void;

/** More causes of one batch are not named. */
const MAX_LINKS = 64;
/** Spans that could not be sent by then are lost: a stop must not wait for a trace collector that is away. */
const CLOSE_TIMEOUT_MS = 3_000;
const TRACER = 'keytally';

/**
 * Starts tracing when OTEL_EXPORTER_OTLP_ENDPOINT is set. Spans go out as OTLP over HTTP (JSON) in the background, at most 2,048
 * waiting; more are dropped. Sampling, headers and timeouts follow the standard OTEL_ variables, which the SDK reads itself.
 */
export async function startTracing(config: Config, part: string, log: Logger): Promise<{ close(): Promise<void> }> {
  if (!config.OTEL_EXPORTER_OTLP_ENDPOINT) return { close: async () => {} };
  const { openTracing } = await import('./tracing-export.ts');
  const opened = await openTracing(config.OTEL_EXPORTER_OTLP_ENDPOINT, { name: config.OTEL_SERVICE_NAME, part }, log);
  live = opened;
  return {
    close: async () => {
      if (live === opened) live = undefined;
      const timer = new Promise<void>((resolve) => setTimeout(resolve, CLOSE_TIMEOUT_MS).unref());
      await Promise.race([opened.close(), timer]);
    },
  };
}

export const isTracing = (): boolean => live !== undefined;

/** Does something within a span, which becomes the parent of spans made meanwhile. Without tracing it is just done. */
export async function traced<Result>(
  name: string,
  request: SpanRequest,
  act: (note: Noted) => Promise<Result>,
): Promise<Result> {
  if (!live) return act(nothing);
  const { api } = live;
  const { span, context } = open(live, name, request);
  try {
    return await api.context.with(context, () => act((attributes) => void span.setAttributes(attributes)));
  } catch (error) {
    // The class, not the message: that may repeat what was sent.
    const { name: message } = error as Error;
    if (request.isFailure?.(error) !== false) span.setStatus({ code: api.SpanStatusCode.ERROR, message });
    throw error;
  } finally {
    span.end();
  }
}

const nothing: Noted = () => {};

/** Does something as part of what a traceparent names, which may be of another thread. */
export function within<Result>(parent: string | undefined, act: () => Promise<Result>): Promise<Result> {
  return live && parent ? live.api.context.with(contextOf(live.api, parent), act) : act();
}

/** Begins a span that ends by a callback, and does the rest of the call within it. */
export function beginSpan(
  name: string,
  request: SpanRequest,
  act: (end: (attributes: Attributes, failed: boolean) => void) => void,
): void {
  if (!live) {
    act(nothing);
    return;
  }
  const { api } = live;
  const { span, context } = open(live, name, request);
  api.context.with(context, () =>
    act((attributes, failed) => {
      span.setAttributes(attributes);
      if (failed) span.setStatus({ code: api.SpanStatusCode.ERROR });
      span.end();
    }),
  );
}

/** W3C traceparent of what is under way, to be carried in a job; undefined without tracing. */
export function traceparent(): string | undefined {
  const span = live?.api.trace.getActiveSpan();
  return span && textOf(span);
}

function open({ api }: Live, name: string, request: SpanRequest): { span: Span; context: Context } {
  const parent = request.parent ? contextOf(api, request.parent) : api.context.active();
  const links = (request.links ?? []).slice(0, MAX_LINKS).flatMap((text) => {
    const context = api.trace.getSpanContext(contextOf(api, text));
    return context ? [{ context }] : [];
  });
  const span = api.trace
    .getTracer(TRACER)
    .startSpan(name, { kind: api.SpanKind[request.kind], attributes: request.attributes ?? {}, links }, parent);
  return { span, context: api.trace.setSpan(parent, span) };
}

function textOf(span: Span): string {
  const { traceId, spanId, traceFlags } = span.spanContext();
  return `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, '0')}`;
}

/** https://www.w3.org/TR/trace-context/#traceparent-header; what is none begins a trace of its own. */
function contextOf(api: Live['api'], text: string): Context {
  const match = /^[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/.exec(text);
  if (!match) return api.ROOT_CONTEXT;
  const spanContext = {
    traceId: match[1]!,
    spanId: match[2]!,
    traceFlags: Number.parseInt(match[3]!, 16),
    isRemote: true,
  };
  if (!api.isSpanContextValid(spanContext)) return api.ROOT_CONTEXT;
  return api.trace.setSpanContext(api.ROOT_CONTEXT, spanContext);
}
