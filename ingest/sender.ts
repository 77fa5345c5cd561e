/**
 * The gateway's side: takes what an API gateway or an Express application knows about each request and sends it to
 * Keytally in the background. Needs nothing but Node.
 */
import type { ServerResponse } from 'node:http';
import type { RecordInput } from './record.ts';
import { type Sender, SenderError, type SenderOptions } from './sender-options.ts';
import { SenderQueue } from './sender-queue.ts';
import { arrivalOf, type GatewayRequest, recordOf } from './sender-request.ts';

export { type Guard, keytallyGuard } from './guard.ts';
export { GuardError, type GuardOptions, type GuardStats } from './guard-options.ts';
export type { RecordInput } from './record.ts';
export { type Sender, SenderError, type SenderOptions, type SenderStats } from './sender-options.ts';
export type { GatewayRequest } from './sender-request.ts';

/** Id under which requests without any key are counted. */
const NO_KEY = '(no key)';
const DEFAULT_KEY_HEADER = 'x-api-key';

/** Options of {@link keytally}: those of the sender, and how to read a request. All are asked when the request ends. */
export interface MiddlewareOptions extends SenderOptions {
  /** Id of the key that was used, as your own authentication knows it. Comes before `key`. */
  keyId?: (req: GatewayRequest) => string | undefined;
  /** Where the raw key is: a header's name, or a function. Default: `x-api-key`. `Bearer ` in front is dropped. */
  key?: string | ((req: GatewayRequest) => string | undefined);
  /** Route template, where Express' own is not what should be counted. */
  route?: (req: GatewayRequest) => string | undefined;
  /** Requests that are not counted, such as health checks. */
  skip?: (req: GatewayRequest) => boolean;
  /** Last word on a record: what it returns is merged into it, `false` drops the request. */
  extend?: (req: GatewayRequest, res: ServerResponse) => Partial<RecordInput> | false | undefined;
}

/** An Express middleware that is also the sender behind it, for `await middleware.close()` when the host stops. */
export type Middleware = Sender & ((req: GatewayRequest, res: ServerResponse, next: (error?: unknown) => void) => void);

/**
 * Creates a sender for records you make yourself.
 * @throws TypeError when an option is wrong; nothing else ever throws
 */
export function createSender(options: SenderOptions): Sender {
  return new SenderQueue(options);
}

/**
 * Creates a middleware for Express 4 and 5: `app.use(keytally({ url, token }))`, before the routes.
 * @throws TypeError when an option is wrong; nothing else ever throws
 */
export function keytally(options: MiddlewareOptions): Middleware {
  const sender = createSender(options);
  const report = reporterOf(options);
  const middleware = (req: GatewayRequest, res: ServerResponse, next: (error?: unknown) => void): void => {
    try {
      watch(req, res, (record) => sender.record(record), options, report);
    } catch (error) {
      report(error);
    }
    next();
  };
  return Object.assign(middleware, {
    record: (record: RecordInput) => sender.record(record),
    flush: () => sender.flush(),
    close: () => sender.close(),
    stats: () => sender.stats(),
  });
}

type Report = (error: unknown) => void;

function watch(
  req: GatewayRequest,
  res: ServerResponse,
  send: (record: RecordInput) => void,
  options: MiddlewareOptions,
  report: Report,
): void {
  const arrival = arrivalOf(req);
  // 'finish' is the answer given, 'close' without it a client that left.
  const ended = () => {
    res.off('finish', ended);
    res.off('close', ended);
    try {
      if (ask(() => options.skip?.(req), report)) return;
      const extension = ask(() => options.extend?.(req, res), report);
      if (extension === false) return;
      const record = recordOf(req, res, arrival);
      record.route = ask(() => options.route?.(req), report) ?? record.route;
      send({ ...record, ...keyOf(req, options, report), ...extension });
    } catch (error) {
      report(error);
    }
  };
  res.on('finish', ended);
  res.on('close', ended);
}

function keyOf(req: GatewayRequest, options: MiddlewareOptions, report: Report): Pick<RecordInput, 'key' | 'key_id'> {
  const id = ask(() => options.keyId?.(req), report);
  if (id) return { key_id: id };
  const source = options.key ?? DEFAULT_KEY_HEADER;
  const found = typeof source === 'function' ? ask(() => source(req), report) : req.headers[source.toLowerCase()];
  const key = typeof found === 'string' ? found.replace(/^Bearer\s+/i, '').trim() : '';
  return key === '' ? { key_id: NO_KEY } : { key };
}

/** The host's function, whose failure must not cost the record. */
function ask<T>(question: () => T, report: Report): T | undefined {
  try {
    return question();
  } catch (error) {
    report(error);
    return undefined;
  }
}

function reporterOf({ onError }: MiddlewareOptions): Report {
  return (error) => {
    try {
      onError?.(
        new SenderError(`a request could not be read: ${(error as Error)?.message ?? error}`, 0, undefined, error),
      );
    } catch {
      // Nowhere left to tell.
    }
  };
}
