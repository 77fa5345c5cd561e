import express, { type Request, type RequestHandler, type Response, type Router } from 'express';
import { nextTurn, OWN_TURN_BYTES, turnToBegin } from './event-loop.ts';
import { firehoseReply } from './formats/firehose.ts';
import type { Format, FormatOptions, FormatPayload, FormatResult, KeySource } from './formats/format.ts';
import { otlpReply, rejectSummary } from './formats/otlp-reply.ts';
import { FORMAT_NAMES, formatByName } from './formats/registry.ts';
import { Problem } from './problem.ts';
import { type ParsedBody, parseValues } from './records-body.ts';
import { isWaitedFor } from './sender-pace.ts';
import { type CollectorParts, claimOf, type IngestAnswer, mediaType, takeRecords, timeWindow } from './take-records.ts';
import type { TokenGrant } from './token.ts';

/** Answer of `POST /v1/ingest/{format}`. */
interface FormatAnswer extends Omit<IngestAnswer, 'batch_id'> {
  batch_id: string | null;
  /** The format taken: of interest with `auto`. */
  format: string;
  /** Entries that are by design not counted, such as client spans. */
  skipped: number;
}

/**
 * Routes for what gateways send unmodified. Where the key stands in a gateway's record can be said in the URL:
 * `?key_field=consumer.username`, `?key_header=x-api-key` (a raw key, hashed at once), `?key_claim=sub`.
 *
 * @param before authentication, limits and the body's reading, as for every ingest route
 */
export function formatRoutes(parts: CollectorParts, before: RequestHandler[]): Router {
  const router = express.Router();
  // Vector asks HEAD before it sends anything and wants exactly 200.
  router.head('/v1/ingest/:format', (req, res) => void res.status(formatByName(req.params.format) ? 200 : 404).end());
  router.post('/v1/ingest/:format', ...before, (req, res) =>
    postFormat(parts, named(req.params.format as string), req, res),
  );
  router.post('/v1/traces', ...before, (req, res) => postOtlp(parts, named('otlp-traces'), req, res));
  router.post('/v1/logs', ...before, (req, res) => postOtlp(parts, named('otlp-logs'), req, res));
  return router;
}

function named(name: string): Format {
  const format = formatByName(name);
  if (!format)
    throw new Problem(404, 'Unknown format', `there is no format "${name}"; known: ${FORMAT_NAMES.join(', ')}`);
  return format;
}

async function postFormat(parts: CollectorParts, format: Format, req: Request, res: Response): Promise<void> {
  const nowMs = Date.now();
  if (format.name === 'firehose') {
    await postFirehose(parts, format, req, res, nowMs);
    return;
  }
  const answer = await take(parts, format, req, res, nowMs);
  res.status(202).json(answer);
}

/** Firehose reads its own reply shape, of errors too, and repeats a request until it gets one. */
async function postFirehose(
  parts: CollectorParts,
  format: Format,
  req: Request,
  res: Response,
  nowMs: number,
): Promise<void> {
  const requestId = req.get('x-amz-firehose-request-id') ?? '';
  try {
    await take(parts, format, req, res, nowMs);
    res.status(200).json(firehoseReply(requestId, nowMs));
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    res
      .status(error.status)
      .set(error.headers)
      .json(firehoseReply(requestId, nowMs, error.detail));
  }
}

async function postOtlp(parts: CollectorParts, format: Format, req: Request, res: Response): Promise<void> {
  const answer = await take(parts, format, req, res, Date.now()).catch((error) => {
    // A payload of rejected spans is a partial success to OTLP: an exporter must not send it again.
    const rejected = error instanceof Problem && error.status === 400 ? Number(error.extra.rejected ?? 0) : 0;
    if (rejected === 0) throw error;
    return { rejected, errors: (error as Problem).extra.errors as IngestAnswer['errors'] };
  });
  const kind = format.name === 'otlp-traces' ? 'traces' : 'logs';
  const reply = otlpReply(mediaType(req), kind, answer.rejected, rejectSummary(answer.errors));
  res.status(200).set('Content-Type', reply.contentType).send(reply.body);
}

async function take(
  parts: CollectorParts,
  format: Format,
  req: Request,
  res: Response,
  nowMs: number,
): Promise<FormatAnswer> {
  const grant = res.locals.grant as TokenGrant;
  const payload: FormatPayload = {
    body: Buffer.isBuffer(req.body) ? req.body : Buffer.alloc(0),
    contentType: mediaType(req),
    headers: req.headers as Record<string, string | undefined>,
    nowMs,
  };
  if (payload.body.length === 0) throw new Problem(400, 'Empty body', 'the request has no body');
  const result = await parseInSteps(format, payload, optionsOf(parts, req));
  const parsed = await checked(parts, result);
  const taken = { format: result.format ?? format.name, skipped: result.skipped };
  if (parsed.records.length === 0 && parsed.errors.length === 0) {
    return { batch_id: null, accepted: 0, rejected: 0, errors: [], ...taken };
  }
  const key =
    req.get('idempotency-key') ??
    (result.requestId ? `${format.name}-${encodeURIComponent(result.requestId)}`.slice(0, 255) : undefined);
  const sent = { claim: claimOf(grant, key), byRequestId: true, isWaitedFor: isWaitedFor(res), format: taken.format };
  const stored = await takeRecords(parts, parsed, grant, sent);
  return { ...stored, ...taken };
}

/** The event loop gets a turn between the steps of a large payload. */
async function parseInSteps(format: Format, payload: FormatPayload, options: FormatOptions): Promise<FormatResult> {
  if (payload.body.length > OWN_TURN_BYTES) await turnToBegin();
  const steps = format.steps(payload, options);
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
    await nextTurn();
  }
}

async function checked(parts: CollectorParts, result: FormatResult): Promise<ParsedBody> {
  const limits = { window: timeWindow(parts.config), maxRecords: parts.config.INGEST_MAX_RECORDS };
  const parsed = await parseValues(result.records, limits);
  return { records: parsed.records, errors: [...result.rejects, ...parsed.errors] };
}

function optionsOf(parts: CollectorParts, req: Request): FormatOptions {
  const keySources: KeySource[] = [];
  const parameter = (name: string) => {
    const value = req.query[name];
    if (value === undefined) return '';
    if (typeof value !== 'string' || value === '' || value.length > 200) {
      throw new Problem(400, 'Bad request', `${name}: must be one name of at most 200 characters`);
    }
    return value;
  };
  const [field, header, jwtClaim] = [parameter('key_field'), parameter('key_header'), parameter('key_claim')];
  if (field) keySources.push({ field });
  if (header) keySources.push({ header });
  if (jwtClaim) keySources.push({ jwtClaim });
  const { TRUSTED_PROXIES: trustedProxies, COUNTRY_HEADERS: countryHeaders } = parts.config;
  return { keySources, trustedProxies, countryHeaders };
}
