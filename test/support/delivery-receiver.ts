import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** One request as a receiver saw it. */
export interface ReceivedMessage {
  atMs: number;
  /** Path: which channel it was for. */
  path: string;
  /** webhook-id. */
  id: string;
  headers: IncomingMessage['headers'];
  text: string;
  // biome-ignore lint/suspicious/noExplicitAny: what was received is compared, not used as a type.
  body: any;
  /** Status it was answered with. */
  status: number;
}

export type Answering = (message: ReceivedMessage, res: ServerResponse) => void;

/** A real HTTP receiver that records everything and, as receivers are asked to, knows a message again by its id. */
export class DeliveryReceiver {
  /** Every request, repeats included. */
  readonly requests: ReceivedMessage[] = [];
  #server: Server;
  #answers = new Map<string, Answering>();

  private constructor() {
    this.#server = createServer((req, res) => void this.#take(req, res));
  }

  static async start(): Promise<DeliveryReceiver> {
    const receiver = new DeliveryReceiver();
    await new Promise<void>((resolve) => receiver.#server.listen(0, '127.0.0.1', resolve));
    return receiver;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** How requests to a path are answered from now on; default: 200. */
  answer(path: string, answering: Answering): void {
    this.#answers.set(path, answering);
  }

  /** Messages that were accepted, each id once, in the order of their first acceptance. */
  accepted(path?: string): ReceivedMessage[] {
    const seen = new Set<string>();
    return this.requests.filter((message) => {
      const name = `${message.path} ${message.id}`;
      if (message.status >= 300 || (path !== undefined && message.path !== path) || seen.has(name)) return false;
      seen.add(name);
      return true;
    });
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #take(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    try {
      for await (const chunk of req) chunks.push(chunk as Buffer);
    } catch {
      // The sender was killed while it spoke: nothing was received.
      return;
    }
    const text = Buffer.concat(chunks).toString('utf8');
    const path = req.url ?? '';
    const id = String(req.headers['webhook-id'] ?? '');
    const body = text.startsWith('{') ? JSON.parse(text) : undefined;
    const message = { atMs: Date.now(), path, id, headers: req.headers, text, body, status: 0 };
    res.once('close', () => {
      message.status = res.headersSent ? res.statusCode : 0;
    });
    this.requests.push(message);
    const answering = this.#answers.get(path) ?? ((_message, response) => void response.end());
    answering(message, res);
    if (res.headersSent || res.writableEnded) message.status = res.statusCode;
  }
}
