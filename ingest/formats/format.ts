import type { RecordError, RecordInput } from '../record.ts';

/** One HTTP body of a gateway, already decompressed and bounded in size. */
export interface FormatPayload {
  body: Buffer;
  /** Media type without parameters, lower case; '' when absent. */
  contentType: string;
  /** Request headers, names in lower case. */
  headers: Readonly<Record<string, string | undefined>>;
  /** Time of receipt, epoch milliseconds: the default for records without a time. */
  nowMs: number;
}

/** Where a source's records carry the identity of the API key. The first rule that yields a value wins. */
export interface KeySource {
  /** Dotted path into the gateway's own record, e.g. `consumer.username`. */
  field?: string;
  /** Name of a logged request header holding the RAW key (it is hashed at once). */
  header?: string;
  /** Claim of the logged bearer JWT whose value is the key id (the signature was checked by the gateway). */
  jwtClaim?: string;
}

export interface FormatOptions {
  /** Empty: the format's own default place. */
  keySources: readonly KeySource[];
  /** CIDR ranges whose `X-Forwarded-For` is believed. Default: none, so the address the gateway saw counts. */
  trustedProxies?: readonly string[];
  /** Logged request headers whose country is believed, e.g. `cf-ipcountry`. Default: none. */
  countryHeaders?: readonly string[];
}

export interface FormatResult {
  records: RecordInput[];
  /** Of each record the position of its entry in the payload: beside entries that are no records, it is not the record's own. */
  indexes: number[];
  /** Entries that are not countable, each with its position in the payload, the field and the reason. */
  rejects: RecordError[];
  /** Entries that are by design not counted (client spans, intermediate log entries, health lines). */
  skipped: number;
  /** Name of the format that was found, where `auto` had to find it; '' when none fits. */
  format?: string;
  /** Identity of the whole payload, the same on every retry (Firehose, CloudEvents): the batch's idempotency key. */
  requestId?: string;
}

/** Yields how many records and rejects it holds by now. */
export type Steps = Generator<number, FormatResult>;

/** A gateway's payload format. `parse` is pure: no I/O, no clock, never throws on bad input. */
export interface Format {
  name: string;
  /** Request ids are unique by the format's specification: a repeat is told by them even when its time differs. */
  hasUniqueIds?: true;
  parse(payload: FormatPayload, options: FormatOptions): FormatResult;
  /** Like `parse`, in steps of a few milliseconds: the caller gives the event loop a turn at every `yield`, or stops at too many entries. */
  steps(payload: FormatPayload, options: FormatOptions): Steps;
  /** Whether the payload looks like this format, for `auto`. */
  recognises(payload: FormatPayload): boolean;
}

/** Id under which requests without any key are counted: they never vanish. */
export const NO_KEY = '(no key)';
