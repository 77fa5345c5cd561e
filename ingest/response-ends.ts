import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { Server as HttpServer } from 'node:http';
import { Server as HttpsServer } from 'node:https';
import type { Socket } from 'node:net';
import type { Arrival } from './sender-request.ts';

/** Where Node tells of every response it has given to the system as a whole (`node:diagnostics_channel`, built-in channels of HTTP). */
const FINISHED = 'http.server.response.finish';
/** Requests that wait on one connection; more of them get a listener each. None that keeps the rules sends so many without an answer. */
const MAX_WAITING = 100;
/** Other engines have the servers of Node but need not tell of their responses. */
const IS_NODE = process.versions.bun === undefined && process.versions.deno === undefined;

/**
 * Tells when the answer to a request is out, or its client has left before. Express gives each request and response a prototype of its
 * own, after which V8 knows their shape no more: a listener added to each response took 1.5 % of a small application's time (a profile, see
 * bench `sdk`). Node's own word about all responses, and one listener per connection, take 0.1 %.
 */
export class ResponseEnds {
  readonly #onEnd: (arrival: Arrival, isFinished: boolean) => void;
  /** Requests of each connection that have no end yet: one, or several that the client sent in a row without waiting. */
  readonly #connections = new WeakMap<Socket, Arrival[]>();
  #open = 0;
  #isSubscribed = false;
  #isClosed = false;

  /** @param onEnd must not throw; called once for each watched request */
  constructor(onEnd: (arrival: Arrival, isFinished: boolean) => void) {
    this.#onEnd = onEnd;
  }

  watch(arrival: Arrival): void {
    const open = this.#isClosed ? undefined : (this.#connections.get(arrival.socket) ?? this.#connect(arrival.socket));
    // Told by the server and by a middleware.
    if (open?.at(-1)?.req === arrival.req) return;
    if (open === undefined || open.length >= MAX_WAITING) {
      const { res } = arrival;
      res.on('close', () => this.#onEnd(arrival, res.writableFinished));
      return;
    }
    open.push(arrival);
    this.#open++;
  }

  /** What is watched already is told to its end. */
  close(): void {
    this.#isClosed = true;
    this.#leaveWhenDone();
  }

  /** Undefined where Node will not tell: HTTP/2, and responses that no server of Node has made. */
  #connect(socket: Socket): Arrival[] | undefined {
    const { server } = socket as { server?: unknown };
    if (!IS_NODE || !(server instanceof HttpServer || server instanceof HttpsServer)) return undefined;
    if (!this.#isSubscribed) subscribe(FINISHED, this.#onFinished);
    this.#isSubscribed = true;
    const open: Arrival[] = [];
    this.#connections.set(socket, open);
    socket.on('close', () => this.#end(open.splice(0), false));
    return open;
  }

  readonly #onFinished = (message: unknown): void => {
    const { socket, response } = message as { socket: Socket; response: unknown };
    const open = this.#connections.get(socket);
    if (open === undefined || open.length === 0) return;
    if (open.length === 1) {
      if (open[0]!.res === response) this.#end([open.pop()!], true);
      return;
    }
    const ended = open.filter(({ res }) => res === response);
    const rest = open.filter(({ res }) => res !== response);
    open.splice(0, open.length, ...rest);
    this.#end(ended, true);
  };

  #end(arrivals: readonly Arrival[], isFinished: boolean): void {
    this.#open -= arrivals.length;
    for (const arrival of arrivals) this.#onEnd(arrival, isFinished);
    if (this.#isClosed) this.#leaveWhenDone();
  }

  #leaveWhenDone(): void {
    if (this.#open > 0 || !this.#isSubscribed) return;
    unsubscribe(FINISHED, this.#onFinished);
    this.#isSubscribed = false;
  }
}
