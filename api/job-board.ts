import { createBullBoard } from '@bull-board/api';
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import { ExpressAdapter } from '@bull-board/express';
import express, { type RequestHandler, type Router } from 'express';
import { Problem } from '../ingest/problem.ts';
import { callerOf } from './caller.ts';
import { refuseBeyond } from './mount.ts';
import type { ApiParts } from './route.ts';

export const JOB_BOARD_PATH = '/admin/queues';
/** A batch is megabytes of packed columns: nothing a person could read. */
const MAX_SHOWN_CHARACTERS = 2_000;

/**
 * Beyond the console's policy this page needs its own <base> and inline styles. Scripts stay files of ours; its web fonts
 * come from elsewhere and are refused.
 */
const CONTENT_SECURITY_POLICY =
  "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; " +
  "object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'";

/** Every job of every queue, for reading, by bull-board. */
export function jobBoard(parts: ApiParts): Router {
  const adapter = new ExpressAdapter();
  adapter.setBasePath(JOB_BOARD_PATH);
  createBullBoard({
    queues: parts.jobQueues.map(({ name, holds, queue }) => {
      const shown = new BullMQAdapter(queue, {
        readOnlyMode: true,
        allowRetries: false,
        displayName: name,
        description: holds,
      });
      shown.setFormatter('data', shortened);
      return shown;
    }),
    serverAdapter: adapter,
    options: { uiConfig: { boardTitle: 'Keytally', hideDocsLink: true, pollingInterval: { forceInterval: 10 } } },
  });
  const board = adapter.getRouter() as express.Express;
  board.disable('x-powered-by');
  const router = express.Router();
  router.use(JOB_BOARD_PATH, onlyReading, onlyAdministrators(parts), board);
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

function shortened(data: unknown): unknown {
  if (typeof data !== 'object' || data === null) return data;
  return Object.fromEntries(
    Object.entries(data).map(([name, value]) => [
      name,
      typeof value === 'string' && value.length > MAX_SHOWN_CHARACTERS ? `${value.length} characters` : value,
    ]),
  );
}
