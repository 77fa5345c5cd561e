/** A span or a log record of an OTLP export, the same from protobuf and from JSON. */
export interface OtlpItem {
  /** Attributes by name; `resource` holds those of the resource. Values: text, number, boolean, arrays and objects of them. */
  attributes: Record<string, unknown>;
  traceId: string;
  spanId: string;
  /** 2 = SERVER. Spans only. */
  kind: number;
  /** Epoch nanoseconds, to the precision of a double (a quarter of a microsecond); 0 = not set. */
  startNs: number;
  endNs: number;
  /** Body of a log record. */
  body: unknown;
}

export type OtlpKind = 'traces' | 'logs';

/** Depth to which lists and maps in attribute values are read. */
export const MAX_VALUE_DEPTH = 4;

/** An object without prototype: attribute names come from outside. */
export function newAttributes(): Record<string, unknown> {
  return Object.create(null) as Record<string, unknown>;
}

/** Span kind of a request that came in. */
export const SERVER = 2;
