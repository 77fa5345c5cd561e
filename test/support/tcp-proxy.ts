import { createServer, connect as open, type Server, type Socket } from 'node:net';
import { fixedPort } from './fixed-port.ts';

/** An address that stays while what is behind it changes, or goes silent, as a virtual address or a name does in a failover. */
export class TcpProxy {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #port: number;
  #targetPort: number;

  private constructor(server: Server, port: number, targetPort: number) {
    this.#server = server;
    this.#port = port;
    this.#targetPort = targetPort;
  }

  static async start(targetUrl: string): Promise<TcpProxy> {
    const server = createServer();
    const proxy = new TcpProxy(server, await fixedPort(), portOf(targetUrl));
    server.on('connection', (socket) => proxy.#pass(socket));
    await new Promise<void>((resolve) => server.listen(proxy.#port, '127.0.0.1', resolve));
    return proxy;
  }

  get url(): string {
    return `redis://127.0.0.1:${this.#port}`;
  }

  /** New connections go there; those that are open stay where they are. */
  pointTo(targetUrl: string): void {
    this.#targetPort = portOf(targetUrl);
  }

  /** What is open passes nothing more and is not closed, as when a host vanishes; new connections pass. */
  silence(): void {
    for (const socket of this.#sockets) socket.unpipe().pause();
  }

  stop(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  #pass(client: Socket): void {
    const target = open(this.#targetPort, '127.0.0.1');
    client.pipe(target).pipe(client);
    for (const [socket, other] of [
      [client, target],
      [target, client],
    ] as const) {
      this.#sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        this.#sockets.delete(socket);
        other.destroy();
      });
    }
  }
}

const portOf = (url: string) => Number(new URL(url).port);
