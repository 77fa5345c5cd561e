import express, { type Request, type Response, type Router } from 'express';
import { rateLimit } from 'express-rate-limit';
import { authenticate, presentedToken } from './authenticate.ts';
import type { Config } from './config.ts';
import { OWN_TURN_BYTES, turnToBegin } from './event-loop.ts';
import { formatRoutes } from './format-routes.ts';
import type { Intake } from './intake.ts';
import { intakeRequest } from './intake-request.ts';
import { recordsReceived } from './metrics.ts';
import { overloaded, Problem } from './problem.ts';
import type { RedisHeadroom } from './redis-headroom.ts';
import { noteSenderPace } from './sender-pace.ts';
import { sha256, type TokenReader } from './token.ts';
import { traceRequest } from './trace-requests.ts';

export interface CollectorTools {
  config: Config;
  tokens: TokenReader;
  headroom: RedisHeadroom;
  intake: Intake;
}

/** Routes of the collector: everything that takes records. */
export function collectorRouter(tools: CollectorTools): Router {
  const router = express.Router();
  const { config, intake } = tools;
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
  // The limiter keeps a count for each token: of those that exist, not of all that strangers think of.
  const before = [noteSenderPace, guard(tools), limiter, oneBodyATurn, body, traceRequest];
  router.post('/v1/requests', ...before, (req, res) => postRequests(intake, req, res));
  router.use(formatRoutes(intake, before));
  return router;
}

/** Refuses before the body is read: a client without a token, or a full queue, costs no memory. */
function guard({ tokens, headroom }: CollectorTools): express.RequestHandler {
  return async (req, res, next) => {
    res.locals.grant = await authenticate(tokens, req, 'ingest', presentedToken(req));
    if (!headroom.hasRoom) {
      recordsReceived.inc({ outcome: 'refused_redis' });
      throw overloaded('Redis is near its memory limit');
    }
    next();
  };
}

/**
 * Senders that were answered together send their next bodies together, and Node reads up to 2 MB of every socket that has something before it
 * looks at a timer. What is not read yet waits in the kernel.
 */
const oneBodyATurn: express.RequestHandler = async (req, _res, next) => {
  // Without a length it comes in chunks, of which nobody knows how many.
  if (!(Number(req.get('content-length')) <= OWN_TURN_BYTES)) await turnToBegin();
  next();
};

async function postRequests(intake: Intake, req: Request, res: Response): Promise<void> {
  const { batch_id, accepted, rejected, errors } = await intake.take(intakeRequest(req, res, undefined));
  res.status(202).json({ batch_id, accepted, rejected, errors });
}
