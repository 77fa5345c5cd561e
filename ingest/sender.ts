/**
 * The gateway's side: takes what an API gateway or an Express application knows about each request and sends it to
 * Keytally in the background. Needs nothing but Node.
 */
import type { EventEmitter } from 'node:events';
import type { ServerResponse } from 'node:http';
import type { RecordInput } from './record.ts';
import { ResponseEnds } from './response-ends.ts';
import { type Sender, SenderError, type SenderOptions } from './sender-options.ts';
import { SenderQueue } from './sender-queue.ts';
import {
  type Arrival,
  arrivalOf,
  clockOrigin,
  type EndedRequest,
  earlyArrivalOf,
  endOf,
  type GatewayRequest,
  recordOf,
} from './sender-request.ts';

export { type Guard, keytallyGuard } from './guard.ts';
export { GuardError, type GuardOptions, type GuardStats } from './guard-options.ts';
export type { RecordInput } from './record.ts';
export { type Sender, SenderError, type SenderOptions, type SenderStats } from './sender-options.ts';
export type { GatewayRequest } from './sender-request.ts';

/** Id under which requests without any key are counted. */
const NO_KEY = '(no key)';
const DEFAULT_KEY_HEADER = 'x-api-key';
const LETTER_B = 98;

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

/** A server of Node, as `app.listen()` returns it: it tells of each request before any framework sees it. */
export type RequestServer = Pick<EventEmitter, 'prependListener' | 'off'>;

/** An Express middleware that is also the sender behind it, for `await middleware.close()` when the host stops. */
export interface Middleware extends Sender {
  (req: GatewayRequest, res: ServerResponse, next: (error?: unknown) => void): void;
  /**
   * Reports the requests of a server, in place of `app.use()`: for any framework on `node:http`. Ends with {@link Sender.close}.
   * @returns ends it earlier
   */
  watch(server: RequestServer): () => void;
}

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
  const sender = new SenderQueue(options);
  const report = reporterOf(options);
  const ends = new ResponseEnds(endRecorder(sender, options, report));
  const middleware = (req: GatewayRequest, res: ServerResponse, next: (error?: unknown) => void): void => {
    try {
      ends.watch(arrivalOf(req, res));
    } catch (error) {
      report(error);
    }
    next();
  };
  const onRequest = (req: GatewayRequest, res: ServerResponse): void => {
    try {
      ends.watch(earlyArrivalOf(req, res));
    } catch (error) {
      report(error);
    }
  };
  const servers = new Set<RequestServer>();
  const leave = (server: RequestServer) => {
    if (servers.delete(server)) server.off('request', onRequest);
  };
  return Object.assign(middleware, {
    watch: (server: RequestServer) => {
      if (!servers.has(server)) server.prependListener('request', onRequest);
      servers.add(server);
      return () => leave(server);
    },
    record: (record: RecordInput) => sender.record(record),
    flush: () => sender.flush(),
    close: () => {
      for (const server of servers) leave(server);
      ends.close();
      return sender.close();
    },
    stats: () => sender.stats(),
  });
}

type Report = (error: unknown) => void;

/** Records a request that has ended. Runs for every request of the host: without what it does not need. */
function endRecorder(
  sender: SenderQueue,
  options: MiddlewareOptions,
  report: Report,
): (arrival: Arrival, isFinished: boolean) => void {
  const nameKey = keyNamer(options, report);
  return (arrival, isFinished) => {
    const { req, res } = arrival;
    try {
      if (options.skip && ask(() => options.skip?.(req), report)) return;
      const extension = options.extend && ask(() => options.extend?.(req, res), report);
      if (extension === false) return;
      const ended = endOf(arrival, isFinished);
      if (options.route) ended.route = ask(() => options.route?.(req), report);
      nameKey(arrival, ended);
      if (extension) sender.record({ ...recordOf(ended, clockOrigin()), ...extension });
      else sender.recordEnd(ended);
    } catch (error) {
      report(error);
    }
  };
}

/** Names the key of a request, or its id. */
function keyNamer(options: MiddlewareOptions, report: Report): (arrival: Arrival, ended: EndedRequest) => void {
  const { key = DEFAULT_KEY_HEADER } = options;
  const header = typeof key === 'string' ? key.toLowerCase() : '';
  return ({ req, headers }, ended) => {
    const id = options.keyId && ask(() => options.keyId?.(req), report);
    if (id) {
      ended.keyId = id;
      return;
    }
    const found = typeof key === 'function' ? ask(() => key(req), report) : headers[header];
    const raw = typeof found === 'string' ? withoutScheme(found) : '';
    if (raw === '') ended.keyId = NO_KEY;
    else ended.key = raw;
  };
}

/** Without `Bearer ` in front, in any case. */
function withoutScheme(value: string): string {
  const mayHaveScheme = (value.charCodeAt(0) | 32) === LETTER_B;
  return (mayHaveScheme ? value.replace(/^Bearer\s+/i, '') : value).trim();
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
