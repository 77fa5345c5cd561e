import express, { type RequestHandler, type Router } from 'express';
import { Problem } from '../ingest/problem.ts';
import { callerOf } from './caller.ts';
import { refuseBeyond } from './mount.ts';
import type { ApiParts } from './route.ts';

const JOB_BOARD_PATH = '/admin/queues';

/**
 * Beyond the console's policy this page needs its own <base> and inline styles. Scripts stay files of ours; its web fonts
 * come from elsewhere and are refused.
 */
const CONTENT_SECURITY_POLICY =
  "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; " +
  "object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'";

/** Every job of every queue, for reading, by bull-board, which is loaded for the first who looks. */
export function jobBoard(parts: ApiParts): Router {
  let board: Promise<RequestHandler> | undefined;
  const router = express.Router();
  router.use(JOB_BOARD_PATH, onlyReading, onlyAdministrators(parts), async (req, res, next) => {
    board ??= import('./bull-board.ts').then(({ bullBoard }) => bullBoard(parts.jobQueues, JOB_BOARD_PATH));
    (await board)(req, res, next);
  });
  return router;
}

const onlyReading: RequestHandler = (req, _res, next) => {
  next(req.method === 'GET' || req.method === 'HEAD' ? undefined : new Problem(405, 'Method not allowed', 'read only'));
};

/** The dashboard's own login. A browser without one is led there; the board's data are refused. */
function onlyAdministrators(parts: ApiParts): RequestHandler {
  return async (req, res, next) => {
    try {
      refuseBeyond('platform', await callerOf(parts, req, 'admin'));
      res.set({ 'Cache-Control': 'private, no-store', 'Content-Security-Policy': CONTENT_SECURITY_POLICY });
      next();
    } catch (error) {
      const isPage = req.accepts(['json', 'html']) === 'html';
      if (!isPage || !(error instanceof Problem) || error.status !== 401) throw error;
      res.redirect(303, `/login?next=${encodeURIComponent(JOB_BOARD_PATH)}`);
    }
  };
}
