import {
  createServer,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  request,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** What the proxy does to a request that inserts. Reads pass, unless the store is away. */
export type ProxyMode =
  | { kind: 'pass' }
  /** Every connection is refused. */
  | { kind: 'down' }
  /** Every request waits this long before it is passed on. */
  | { kind: 'slow'; delayMs: number }
  /** The next inserts reach the store, which commits; their answer never arrives. Goes on beside what is set next. */
  | { kind: 'cut_after'; inserts: number }
  /** The next inserts are cut before the store sees them. Goes on beside what is set next. */
  | { kind: 'cut_before'; inserts: number }
  /** Inserts are taken and never answered; everything else passes. */
  | { kind: 'hang_inserts' };

/** Stands between the program and its store, and breaks what a network breaks: at the worst moment, on purpose. */
export class FaultProxy {
  readonly #targetPort: () => number;
  #server: Server | undefined;
  #port = 0;
  #mode: Exclude<ProxyMode, { inserts: number }> = { kind: 'pass' };
  /** Inserts that are still to be cut. */
  readonly #toCut = { cut_after: 0, cut_before: 0 };
  /** Inserts whose answer was cut off after the store had committed them. */
  cutAfterCommit = 0;
  cutBefore = 0;

  constructor(targetPort: () => number) {
    this.#targetPort = targetPort;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  async start(): Promise<void> {
    if (this.#server) return;
    const server = createServer({ keepAliveTimeout: 10_000 }, (req, res) => {
      this.#serve(req, res).catch(() => req.socket.destroy());
    });
    await new Promise<void>((resolve) => server.listen(this.#port, '127.0.0.1', resolve));
    this.#server = server;
    this.#port = (server.address() as AddressInfo).port;
  }

  /** Stops listening and cuts every connection. */
  async stop(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (!server) return;
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeAllConnections();
    await closed;
  }

  async set(mode: ProxyMode): Promise<void> {
    if (mode.kind === 'cut_after' || mode.kind === 'cut_before') {
      this.#toCut[mode.kind] += mode.inserts;
      return;
    }
    this.#mode = mode;
    if (mode.kind === 'down') await this.stop();
    else await this.start();
  }

  async #serve(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const mode = this.#mode;
    const inserts = /INSERT(\+|%20| )INTO/i.test(req.url ?? '');
    const body = await bodyOf(req);
    if (mode.kind === 'slow') await sleep(mode.delayMs);
    if (inserts && mode.kind === 'hang_inserts') return;
    if (inserts && this.#takes('cut_before')) {
      this.cutBefore++;
      req.socket.destroy();
      return;
    }
    const answer = await this.#forward(req, body);
    if (inserts && this.#takes('cut_after')) {
      if (answer.status === 200) this.cutAfterCommit++;
      req.socket.destroy();
      return;
    }
    res.writeHead(answer.status, answer.headers);
    res.end(answer.body);
  }

  /** Whether this insert is one of those to be cut; counts it off. */
  #takes(kind: 'cut_after' | 'cut_before'): boolean {
    if (this.#toCut[kind] === 0) return false;
    this.#toCut[kind]--;
    return true;
  }

  #forward(
    req: IncomingMessage,
    body: Buffer,
  ): Promise<{ status: number; headers: OutgoingHttpHeaders; body: Buffer }> {
    return new Promise((resolve, reject) => {
      const { 'transfer-encoding': _chunked, connection: _connection, ...headers } = req.headers;
      const onward = request(
        {
          host: '127.0.0.1',
          port: this.#targetPort(),
          path: req.url,
          method: req.method,
          headers: { ...headers, 'content-length': body.length },
        },
        (answer) => {
          bodyOf(answer).then((bytes) => {
            const { 'transfer-encoding': _ignored, connection: _too, ...rest } = answer.headers;
            resolve({
              status: answer.statusCode!,
              headers: { ...rest, 'content-length': bytes.length },
              body: bytes,
            });
          }, reject);
        },
      );
      onward.once('error', reject);
      onward.end(body);
    });
  }
}

async function bodyOf(stream: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
