import type { Acceptance } from './accept.ts';
import type { Config } from './config.ts';
import { nextTurn, OWN_TURN_BYTES, turnToBegin } from './event-loop.ts';
import { heldBy } from './formats/entry-format.ts';
import type { Format, FormatPayload, FormatResult, KeySource } from './formats/format.ts';
import { formatByName } from './formats/registry.ts';
import type { Gatherer } from './gatherer.ts';
import { type BodyLimits, type ParsedBody, parseRecordsBody, parseValues, tooMany } from './records-body.ts';
import type { SourceTally } from './source-tally.ts';
import { claimOf, type IngestAnswer, takeRecords } from './take-records.ts';
import type { TokenGrant } from './token.ts';

/** One body and all of its request that matters to the records in it. Only what can pass to another thread. */
export interface IntakeRequest {
  /** Name of the format; undefined = records of `POST /v1/requests`. */
  format: string | undefined;
  /** Decompressed and bounded in size. Handed over: the caller must not look at it any more. */
  body: Buffer;
  /** Media type without parameters, lower case; '' when absent. */
  contentType: string;
  /** Request headers that a format reads, names in lower case; no credentials. */
  headers: Readonly<Record<string, string>>;
  keySources: readonly KeySource[];
  grant: TokenGrant;
  idempotencyKey: string | undefined;
  /** The sender sends its next records after this answer: see sender-pace.ts. */
  isWaitedFor: boolean;
  /** Time of receipt, epoch milliseconds. */
  nowMs: number;
}

export interface IntakeAnswer extends Omit<IngestAnswer, 'batch_id'> {
  /** Null when the body held nothing to count. */
  batch_id: string | null;
  /** The format taken: of interest with `auto`. */
  format: string;
  /** Entries that are by design not counted, such as client spans. */
  skipped: number;
}

/** Takes bodies to the queue: parses, checks, gathers into batches. */
export interface Intake {
  /** @throws {Problem} 400 when no record is valid, 413 for too many, 503 when the queue does not take them */
  take(request: IntakeRequest): Promise<IntakeAnswer>;
}

export interface IntakeTools {
  config: Config;
  acceptance: Acceptance;
  gatherer: Gatherer;
  sources: SourceTally;
}

/** Name under which records of `POST /v1/requests` are noted. */
const OWN_FORMAT = 'keytally';

/** An intake that works in the thread that calls it. */
export class DirectIntake implements Intake {
  readonly #tools: IntakeTools;
  readonly #limits: BodyLimits;

  constructor(tools: IntakeTools) {
    this.#tools = tools;
    const { ACCEPT_PAST_DAYS, ACCEPT_FUTURE_MINUTES, INGEST_MAX_RECORDS } = tools.config;
    const window = { pastMs: ACCEPT_PAST_DAYS * 86_400_000, futureMs: ACCEPT_FUTURE_MINUTES * 60_000 };
    this.#limits = { window, maxRecords: INGEST_MAX_RECORDS };
  }

  async take(request: IntakeRequest): Promise<IntakeAnswer> {
    const { format, grant, idempotencyKey, isWaitedFor } = request;
    if (format !== undefined) return this.#takeFormat(formatByName(format)!, request);
    const claim = claimOf(grant, idempotencyKey);
    const parsed = await parseRecordsBody(request.body, request.contentType, this.#limits);
    const sent = { claim, byRequestId: false, isTimeless: false, isWaitedFor, format: OWN_FORMAT };
    return { ...(await takeRecords(this.#tools, parsed, grant, sent)), format: OWN_FORMAT, skipped: 0 };
  }

  async #takeFormat(format: Format, request: IntakeRequest): Promise<IntakeAnswer> {
    const { grant, isWaitedFor } = request;
    const result = await this.#parseInSteps(format, request);
    const { records, errors } = await parseValues(result.records, this.#limits, result.indexes);
    const parsed: ParsedBody = { records, errors: [...result.rejects, ...errors] };
    const taken = { format: result.format ?? format.name, skipped: result.skipped };
    if (records.rows === 0 && parsed.errors.length === 0) {
      return { batch_id: null, accepted: 0, rejected: 0, errors: [], ...taken };
    }
    const claim = claimOf(grant, request.idempotencyKey ?? payloadKey(format, result));
    const isTimeless = formatByName(taken.format)?.hasUniqueIds === true;
    const sent = { claim, byRequestId: true, isTimeless, isWaitedFor, format: taken.format };
    return { ...(await takeRecords(this.#tools, parsed, grant, sent)), ...taken };
  }

  /** The event loop gets a turn between the steps of a large payload. */
  async #parseInSteps(format: Format, { body, contentType, headers, keySources, nowMs }: IntakeRequest) {
    const payload: FormatPayload = { body, contentType, headers, nowMs };
    const { TRUSTED_PROXIES: trustedProxies, COUNTRY_HEADERS: countryHeaders } = this.#tools.config;
    if (body.length > OWN_TURN_BYTES) await turnToBegin();
    const steps = format.steps(payload, { keySources, trustedProxies, countryHeaders });
    for (;;) {
      const step = steps.next();
      const held = step.done ? heldBy(step.value) : step.value;
      if (held > this.#limits.maxRecords)
        throw tooMany(step.done ? held : `more than ${held}`, this.#limits.maxRecords);
      if (step.done) return step.value;
      await nextTurn();
    }
  }
}

/** What tells a repeat of a payload that carries its own identity. */
function payloadKey(format: Format, { requestId }: FormatResult): string | undefined {
  return requestId ? `${format.name}-${encodeURIComponent(requestId)}`.slice(0, 255) : undefined;
}
