import { mkdtempSync, rmSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { startParts } from '../../api/parts.ts';
import { ROUTES } from '../../api/routes/routes.ts';
import { parseConfig } from '../../ingest/config.ts';
import { FORMAT_NAMES } from '../../ingest/formats/registry.ts';
import { createLogger } from '../../ingest/logger.ts';
import { SAMPLES } from '../ingest/formats/samples/all.ts';
import { Random } from '../support/random.ts';
import type { TargetResult } from './engine.ts';
import { mutated } from './mutate.ts';

const TOKEN = 'kt_fuzzfuzzfuzzfuzzfuzzfuzzfuzzfuzzfuzz00';
/** Requests under way at once. */
const LANES = 8;
const ANSWER_TIMEOUT_MS = 20_000;
const TYPES = ['application/json', 'application/x-ndjson', 'application/x-protobuf', 'text/plain', 'text/csv', ''];
const RAW = 'POST /v1/requests HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n';

interface Attack {
  method: string;
  path: string;
  headers: Record<string, string>;
  body: Buffer | undefined;
}

/**
 * The HTTP edge of the whole program with real stores. Whatever is sent, the answer is an orderly one: never a 500, never
 * silence, never a stack trace; and afterwards the program still serves.
 */
export async function fuzzHttp(inputs: number, seed: number): Promise<TargetResult> {
  const folder = mkdtempSync(join(tmpdir(), 'keytally-fuzz-'));
  const limits = {
    API_REQUESTS_PER_MINUTE: '10000000',
    INGEST_REQUESTS_PER_MINUTE: '10000000',
    INGEST_LINGER_MS: '50',
    // What a thread says passes through the same code; the tests, which run the sources, have no program for it.
    INGEST_THREADS: '0',
    WORKER_THREADS: '0',
  };
  const config = parseConfig({
    PORT: '0',
    KEYTALLY_DATA_DIR: folder,
    KEYTALLY_ADMIN_TOKEN: TOKEN,
    LOG_LEVEL: 'fatal',
    ...limits,
  });
  const running = await startParts(['collector', 'worker', 'api'], config, createLogger(config, 'fuzz'), (error) => {
    throw error;
  });
  const result: TargetResult = { target: 'http edge', inputs: 0, found: 0, corpus: 0, slowestMs: 0, failures: [] };
  const agent = new Agent({ keepAlive: true, maxSockets: LANES });
  try {
    const random = new Random(seed);
    const bodies = SAMPLES.map((sample) => Buffer.from(sample.body as string));
    const lane = async () => {
      while (result.inputs < inputs) {
        result.inputs++;
        if (result.inputs % 200 === 0) await sendRaw(running.url, mutated(random, Buffer.from(RAW), bodies));
        else await sendAttack(running.url, agent, attackOf(random, bodies), result);
      }
    };
    await Promise.all(Array.from({ length: LANES }, lane));
    const alive = await fetch(`${running.url}/readyz`);
    if (alive.status !== 200)
      result.failures.push({ input: '', error: `afterwards /readyz says ${await alive.text()}` });
  } finally {
    agent.destroy();
    await running.stop();
    rmSync(folder, { recursive: true, force: true });
  }
  return result;
}

function attackOf(random: Random, bodies: readonly Buffer[]): Attack {
  const ingest = random.next() < 0.5;
  const route = random.pick(ROUTES);
  const places = ['/v1/requests', '/v1/traces', '/v1/logs', ...FORMAT_NAMES.map((name) => `/v1/ingest/${name}`)];
  const plain = ingest
    ? random.pick(places)
    : route.path.replaceAll(/:\w+/g, () => random.pick(['k1', '..', '%00', "'", 'é']));
  const query =
    random.next() < 0.4
      ? `?${mutated(random, Buffer.from('from=2026-01-01&limit=5&cursor=abc&key_field=a.b'), bodies).toString('latin1')}`
      : '';
  const path = random.next() < 0.2 ? mutated(random, Buffer.from(plain), bodies).toString('latin1') : plain + query;
  const method = ingest ? 'POST' : route.method.toUpperCase();
  const withBody = method !== 'GET';
  let body = withBody ? mutated(random, random.pick(bodies), bodies) : undefined;
  const headers: Record<string, string> = { Authorization: `Bearer ${TOKEN}` };
  const type = random.pick(TYPES);
  if (type !== '') headers['Content-Type'] = type;
  if (random.next() < 0.1) headers['Idempotency-Key'] = headerText(mutated(random, Buffer.from('key-1'), bodies));
  if (body && random.next() < 0.2) {
    headers['Content-Encoding'] = random.pick(['gzip', 'deflate', 'br', 'x']);
    if (random.next() < 0.7) body = gzipSync(body);
  }
  return { method, path: safePath(path), headers, body };
}

/** Node refuses to send what HTTP cannot carry; the raw sockets send that. */
const safePath = (path: string) => `/${path.replaceAll(/[^\x21-\x7e]/g, '').replace(/^\/+/, '')}`.slice(0, 6_000);
const headerText = (bytes: Buffer) =>
  bytes
    .toString('latin1')
    .replaceAll(/[^\x20-\x7e]/g, '?')
    .slice(0, 400);

async function sendAttack(url: string, agent: Agent, attack: Attack, result: TargetResult): Promise<void> {
  const startedAt = performance.now();
  const answer = await send(url, agent, attack).catch((error: Error) => ({ status: 0, text: error.message }));
  result.slowestMs = Math.max(result.slowestMs, performance.now() - startedAt);
  const orderly = answer.status >= 200 && answer.status < 500 && !/\n\s+at .+\(.+:\d+:\d+\)/.test(answer.text);
  if (orderly || result.failures.length >= 10) return;
  const input = JSON.stringify({ ...attack, body: attack.body?.toString('base64') });
  result.failures.push({ input, error: `answered ${answer.status}: ${answer.text.slice(0, 300)}` });
}

function send(
  url: string,
  agent: Agent,
  { method, path, headers, body }: Attack,
): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(url);
    const outgoing = request({ hostname, port, agent, method, path, headers, timeout: ANSWER_TIMEOUT_MS }, (res) => {
      const chunks: Buffer[] = [];
      res.on('data', (chunk: Buffer) => chunks.push(chunk));
      res.once('end', () => resolve({ status: res.statusCode!, text: Buffer.concat(chunks).toString('utf8') }));
      res.once('error', reject);
    });
    outgoing.once('timeout', () => outgoing.destroy(new Error('no answer in time')));
    outgoing.once('error', reject);
    outgoing.end(body);
  });
}

/** Bytes that are no HTTP: the server answers 400 or closes, and that is all. */
function sendRaw(url: string, bytes: Buffer): Promise<void> {
  return new Promise((resolve) => {
    const { hostname, port } = new URL(url);
    const socket = connect(Number(port), hostname, () => socket.end(bytes));
    socket.setTimeout(2_000, () => socket.destroy());
    socket.on('error', () => undefined);
    socket.once('close', () => resolve());
    socket.resume();
  });
}
