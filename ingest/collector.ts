import express, { type Request, type Response, type Router } from 'express';
import { rateLimit } from 'express-rate-limit';
import type { Acceptance } from './accept.ts';
import { authenticate } from './authenticate.ts';
import type { Config } from './config.ts';
import { type Gatherer, overloaded } from './gatherer.ts';
import { recordsReceived } from './metrics.ts';
import { Problem } from './problem.ts';
import type { RecordError, TimeWindow } from './record.ts';
import { type BodyLimits, type ParsedBody, parseRecordsBody } from './records-body.ts';
import type { RedisHeadroom } from './redis-headroom.ts';
import { bearerToken, sha256, type TokenGrant, type TokenReader } from './token.ts';

/** Errors named one by one in an answer; `rejected` always counts them all. */
const MAX_ERRORS_SHOWN = 100;
const IDEMPOTENCY_KEY = /^[\x21-\x7e]{1,255}$/;

export interface CollectorParts {
  config: Config;
  tokens: TokenReader;
  acceptance: Acceptance;
  gatherer: Gatherer;
  headroom: RedisHeadroom;
}

/** Answer of `POST /v1/requests`. */
export interface IngestAnswer {
  batch_id: string;
  accepted: number;
  rejected: number;
  errors: RecordError[];
}

/** Routes of the collector: everything that takes records. */
export function collectorRouter(parts: CollectorParts): Router {
  const router = express.Router();
  const { config } = parts;
  const body = express.raw({ type: () => true, limit: config.INGEST_MAX_BODY_BYTES, inflate: true });
  const limiter = rateLimit({
    windowMs: 60_000,
    limit: config.INGEST_REQUESTS_PER_MINUTE,
    standardHeaders: 'draft-8',
    legacyHeaders: false,
    keyGenerator: (req) => sha256(bearerToken(req.get('authorization'))),
    handler: (_req, _res, next) =>
      next(new Problem(429, 'Too many requests', 'the limit per token and minute is reached')),
  });
  router.post('/v1/requests', limiter, guard(parts), body, (req, res) => postRequests(parts, req, res));
  return router;
}

/** Refuses before the body is read: a client without a token, or a full queue, costs no memory. */
function guard(parts: CollectorParts): express.RequestHandler {
  return async (req, res, next) => {
    res.locals.grant = await authenticate(parts.tokens, req, 'ingest');
    if (!parts.headroom.hasRoom) {
      recordsReceived.inc({ outcome: 'refused_redis' });
      throw overloaded('Redis is near its memory limit');
    }
    next();
  };
}

async function postRequests(parts: CollectorParts, req: Request, res: Response): Promise<void> {
  const grant = res.locals.grant as TokenGrant;
  const claimId = claimIdOf(grant, req.get('idempotency-key'));
  const limits: BodyLimits = { window: timeWindow(parts.config), maxRecords: parts.config.INGEST_MAX_RECORDS };
  const raw = Buffer.isBuffer(req.body) ? req.body : Buffer.alloc(0);
  const parsed = await parseRecordsBody(raw, mediaType(req), limits);
  res.status(202).json(await storeParsed(parts, parsed, grant, claimId));
}

/**
 * Takes parsed records to the queue: the common end of every ingest route.
 * @throws {Problem} 400 when no record is valid, 503 when the queue does not take them
 */
export async function storeParsed(
  parts: CollectorParts,
  parsed: ParsedBody,
  grant: TokenGrant,
  claimId: string,
): Promise<IngestAnswer> {
  const accepted = await parts.acceptance.accept(parsed.records, grant).catch((error) => {
    throw error instanceof Problem ? error : overloaded('the key index cannot be read');
  });
  const errors = [...parsed.errors, ...accepted.errors].sort((a, b) => a.index - b.index);
  recordsReceived.inc({ outcome: 'rejected' }, errors.length);
  const shown = errors.slice(0, MAX_ERRORS_SHOWN);
  if (accepted.records.length === 0) {
    throw new Problem(400, 'No valid record', 'every record was rejected', {
      extra: { accepted: 0, rejected: errors.length, errors: shown },
    });
  }
  const count = accepted.records.length;
  const batchId = await parts.gatherer.add(accepted.records, grant.organizationId, claimId).catch((error) => {
    recordsReceived.inc({ outcome: 'refused_overload' }, count);
    throw error;
  });
  recordsReceived.inc({ outcome: 'accepted' }, count);
  return { batch_id: batchId, accepted: count, rejected: errors.length, errors: shown };
}

/** Identity of a retried POST: the caller and the key it sent; '' when it sent none. */
export function claimIdOf(grant: TokenGrant, idempotencyKey: string | undefined): string {
  if (idempotencyKey === undefined) return '';
  if (!IDEMPOTENCY_KEY.test(idempotencyKey)) {
    throw new Problem(400, 'Bad Idempotency-Key', 'Idempotency-Key must be 1 to 255 visible ASCII characters');
  }
  return sha256(`${grant.id}\n${idempotencyKey}`).slice(0, 40);
}

export function timeWindow(config: Config): TimeWindow {
  return { pastMs: config.ACCEPT_PAST_DAYS * 86_400_000, futureMs: config.ACCEPT_FUTURE_MINUTES * 60_000 };
}

export function mediaType(req: Request): string {
  return (req.get('content-type') ?? '').split(';')[0]!.trim().toLowerCase();
}
