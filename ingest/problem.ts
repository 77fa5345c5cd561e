import type { NextFunction, Request, Response } from 'express';
import type { Logger } from 'pino';

/** An error the caller is told about, as RFC 9457 `application/problem+json`. */
export class Problem extends Error {
  readonly status: number;
  readonly title: string;
  readonly detail: string;
  readonly extra: Readonly<Record<string, unknown>>;
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    status: number,
    title: string,
    detail: string,
    options: { extra?: Record<string, unknown>; headers?: Record<string, string>; cause?: unknown } = {},
  ) {
    super(`${title}: ${detail}`, { cause: options.cause });
    this.status = status;
    this.title = title;
    this.detail = detail;
    this.extra = options.extra ?? {};
    this.headers = options.headers ?? {};
  }
}

/** 503: nothing is wrong with the request, and the same one will be taken later. */
export function overloaded(detail: string): Problem {
  return new Problem(503, 'Not able to store', `${detail}; retry later`, { headers: { 'Retry-After': '5' } });
}

function sendProblem(res: Response, problem: Problem): void {
  const { status, title, detail, extra } = problem;
  res.status(status).set(problem.headers).type('application/problem+json');
  res.send(JSON.stringify({ type: 'about:blank', title, status, detail, ...extra }));
}

/** What body parsing (raw-body, zlib) and the router raise, in the words of the caller. */
function problemOf(error: unknown): Problem | undefined {
  if (error instanceof Problem) return error;
  const { type, status, limit, code } = error as { type?: string; status?: number; limit?: number; code?: string };
  if (type === 'entity.too.large') return new Problem(413, 'Payload too large', `body exceeds ${limit} bytes`);
  if (type === 'encoding.unsupported') return new Problem(415, 'Unsupported encoding', 'use gzip, deflate, br or none');
  if (type === 'request.aborted') return new Problem(400, 'Request aborted', 'the connection closed inside the body');
  if (code?.startsWith('Z_') || code?.startsWith('ERR_BROTLI')) {
    return new Problem(400, 'Bad compression', 'the body is not valid for its Content-Encoding');
  }
  if (error instanceof URIError) return new Problem(400, 'Bad request', 'the path is not valid percent-encoding');
  if (status !== undefined && status >= 400 && status < 500) {
    return new Problem(status, 'Bad request', error instanceof Error ? error.message : 'the request is not valid');
  }
  return undefined;
}

/** A fault of ours meets every request while it lasts: it is logged so often. */
const CAUSE_LOGGED_EVERY_MS = 10_000;

/** Last middleware of every server: each error becomes a problem; the unexpected and causes of ours are logged, never shown. */
export function problemHandler(log: Logger) {
  let causeLoggedMs = 0;
  return (error: unknown, req: Request, res: Response, next: NextFunction): void => {
    if (res.headersSent) {
      next(error);
      return;
    }
    const problem = problemOf(error);
    if (!problem) log.error({ err: error, method: req.method, path: req.path }, 'request failed');
    else if (problem.cause !== undefined && Date.now() - causeLoggedMs >= CAUSE_LOGGED_EVERY_MS) {
      causeLoggedMs = Date.now();
      log.warn(
        { err: problem.cause, method: req.method, path: req.path },
        `answered ${problem.status}: ${problem.detail}`,
      );
    }
    sendProblem(res, problem ?? new Problem(500, 'Internal error', 'the request could not be answered; see the log'));
  };
}

/** Answer to a path or method that no route serves. */
export function notFound(req: Request): never {
  throw new Problem(404, 'Not found', `no route ${req.method} ${req.path}`);
}
