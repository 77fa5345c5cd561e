import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { brotliDecompressSync } from 'node:zlib';
import { afterEach, beforeEach, expect } from 'vitest';
import type { RecordInput } from '../../ingest/record.ts';
import { createSender, type Sender, type SenderOptions } from '../../ingest/sender.ts';

/** A real HTTP receiver for the tests of the gateway SDK. */

export interface Received {
  records: (RecordInput & { key_sha256?: string })[];
  key: string;
  headers: IncomingMessage['headers'];
  body: string;
}

/** How the receiver answers one request; what it has `stored` is set apart from what merely arrived. */
export type Answer = (received: Received, res: ServerResponse) => void;

const servers: Server[] = [];
export const senders: Sender[] = [];
export let requests: Received[];
export let stored: Received[];
let answer: Answer;

/** How the next requests are answered. */
export function answerWith(next: Answer): void {
  answer = next;
}

export let url: string;

export const store: Answer = (received, res) => {
  if (!stored.some(({ key }) => key === received.key)) stored.push(received);
  reply(res, 202, { batch_id: 'b', accepted: received.records.length, rejected: 0, errors: [] });
};

export function reply(
  res: ServerResponse,
  status: number,
  body: object = {},
  headers: Record<string, string> = {},
): void {
  res.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
}

/** Answers in turn, then stores. */
export function first(...answers: Answer[]): Answer {
  return (received, res) => (answers.shift() ?? store)(received, res);
}

export function fails(status: number, headers: Record<string, string> = {}): Answer {
  return (_received, res) => reply(res, status, { title: `no ${status}` }, headers);
}

export async function listen(server: Server): Promise<string> {
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Starts the receiver anew for every test of the file that calls it: files of one process import this module once. */
export function receiveAnewForEachTest(): void {
  beforeEach(async () => {
    requests = [];
    stored = [];
    answer = store;
    const receiver = createServer((req, res) => {
      const chunks: Buffer[] = [];
      req.on('data', (chunk: Buffer) => chunks.push(chunk));
      req.on('end', () => {
        const body = brotliDecompressSync(Buffer.concat(chunks)).toString();
        const records = body
          .trimEnd()
          .split('\n')
          .map((line) => JSON.parse(line) as RecordInput);
        const received = { records, key: String(req.headers['idempotency-key']), headers: req.headers, body };
        requests.push(received);
        answer(received, res);
      });
    });
    url = await listen(receiver);
  });

  afterEach(async () => {
    for (const server of servers) server.closeAllConnections();
    await Promise.all(senders.splice(0).map((sender) => sender.close()));
    await Promise.all(servers.splice(0).map((server) => new Promise((resolve) => server.close(resolve))));
  });
}

export function sender(options: Partial<SenderOptions> = {}): Sender {
  const created = createSender({ url, token: 'kt_test', retryBaseMs: 10, drainTimeoutMs: 3_000, ...options });
  senders.push(created);
  return created;
}

export function record(id: number): RecordInput {
  return { key_id: 'key-1', status: 200, method: 'GET', path: `/things/${id}` };
}

export function fill(target: Sender, count: number, from = 0): void {
  for (let id = from; id < from + count; id++) target.record(record(id));
}

export const storedRecords = () => stored.flatMap(({ records }) => records);
export const paths = () => storedRecords().map(({ path }) => path);

/** Every record has exactly one fate. */
export function expectBalanced(target: Sender): void {
  const { recorded, sent, dropped, pending } = target.stats();
  expect(recorded).toBe(sent + dropped.overflow + dropped.rejected + dropped.failed + dropped.closed + pending);
}
