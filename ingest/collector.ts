import express, { type Request, type Response, type Router } from 'express';
import { rateLimit } from 'express-rate-limit';
import { authenticate, presentedToken } from './authenticate.ts';
import { formatRoutes } from './format-routes.ts';
import { overloaded } from './gatherer.ts';
import { recordsReceived } from './metrics.ts';
import { Problem } from './problem.ts';
import { type BodyLimits, parseRecordsBody } from './records-body.ts';
import { isWaitedFor, noteSenderPace } from './sender-pace.ts';
import { type CollectorParts, claimOf, mediaType, takeRecords, timeWindow } from './take-records.ts';
import { sha256, type TokenGrant } from './token.ts';
import { traceRequest } from './trace-requests.ts';

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
    keyGenerator: (req) => sha256(presentedToken(req)),
    handler: (_req, _res, next) =>
      next(new Problem(429, 'Too many requests', 'the limit per token and minute is reached')),
  });
  const before = [limiter, noteSenderPace, guard(parts), body, traceRequest];
  router.post('/v1/requests', ...before, (req, res) => postRequests(parts, req, res));
  router.use(formatRoutes(parts, before));
  return router;
}

/** Refuses before the body is read: a client without a token, or a full queue, costs no memory. */
function guard(parts: CollectorParts): express.RequestHandler {
  return async (req, res, next) => {
    res.locals.grant = await authenticate(parts.tokens, req, 'ingest', presentedToken(req));
    if (!parts.headroom.hasRoom) {
      recordsReceived.inc({ outcome: 'refused_redis' });
      throw overloaded('Redis is near its memory limit');
    }
    next();
  };
}

async function postRequests(parts: CollectorParts, req: Request, res: Response): Promise<void> {
  const grant = res.locals.grant as TokenGrant;
  const claim = claimOf(grant, req.get('idempotency-key'));
  const limits: BodyLimits = { window: timeWindow(parts.config), maxRecords: parts.config.INGEST_MAX_RECORDS };
  const raw = Buffer.isBuffer(req.body) ? req.body : Buffer.alloc(0);
  const parsed = await parseRecordsBody(raw, mediaType(req), limits);
  const sent = { claim, byRequestId: false, isWaitedFor: isWaitedFor(res), format: 'keytally' };
  res.status(202).json(await takeRecords(parts, parsed, grant, sent));
}
