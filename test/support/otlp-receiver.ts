import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

type Value = { stringValue?: string; intValue?: number | string };

/** A span as OTLP over HTTP has it in JSON. */
export interface ReceivedSpan {
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  name: string;
  kind: number;
  status: { code?: number };
  links?: { traceId: string; spanId: string }[];
  /** Attributes by name, of the span and, with `resource.` before, of its process. */
  about: Record<string, string | number>;
}

interface Payload {
  resourceSpans: {
    resource: { attributes: { key: string; value: Value }[] };
    scopeSpans: { spans: (ReceivedSpan & { attributes: { key: string; value: Value }[] })[] }[];
  }[];
}

const plainOf = ({ stringValue, intValue }: Value): string | number => stringValue ?? Number(intValue);

/** A trace collector: takes OTLP over HTTP at /v1/traces and keeps the spans. */
export class OtlpReceiver {
  readonly spans: ReceivedSpan[] = [];
  /** Everything that came in, as text. */
  text = '';
  requests = 0;
  readonly #server: Server;

  private constructor() {
    this.#server = createServer(async (req, res) => {
      this.requests++;
      const chunks: Buffer[] = [];
      for await (const chunk of req) chunks.push(chunk as Buffer);
      const text = Buffer.concat(chunks).toString();
      if (req.url !== '/v1/traces') return void res.writeHead(404).end();
      this.text += text;
      this.#take(JSON.parse(text));
      res.setHeader('content-type', 'application/json').end('{}');
    });
  }

  static async start(): Promise<OtlpReceiver> {
    const receiver = new OtlpReceiver();
    await new Promise<void>((resolve) => receiver.#server.listen(0, '127.0.0.1', resolve));
    return receiver;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  named(name: string): ReceivedSpan[] {
    return this.spans.filter((span) => span.name === name);
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #take({ resourceSpans }: Payload): void {
    for (const { resource, scopeSpans } of resourceSpans) {
      const ofProcess = resource.attributes.map(({ key, value }) => [`resource.${key}`, plainOf(value)]);
      for (const span of scopeSpans.flatMap(({ spans }) => spans)) {
        const own = span.attributes.map(({ key, value }) => [key, plainOf(value)]);
        this.spans.push({ ...span, about: Object.fromEntries([...ofProcess, ...own]) });
      }
    }
  }
}
