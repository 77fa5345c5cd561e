/**
 * A small Express application that changes by itself, every so many requests, between running without the SDK, with an
 * empty middleware in its place, with it, and with it told by the server: what the machine does meanwhile, and how V8 compiled the rest, is the same for all.
 *
 * usage: node sdk-host-part.js <address of Keytally>
 */
import type { AddressInfo } from 'node:net';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import express, { type RequestHandler } from 'express';
import { keytally } from '../../ingest/sender.ts';
import { SLICE_ORDER, type Slice, type Variant } from './sdk-host.ts';
import { orderList } from './sdk-order-list.ts';

const REQUESTS_PER_SLICE = 1_000;
/** Of requests that take long: about half the second after which the SDK sends by itself. */
const LISTS_PER_SLICE = 500;
const BURST_TURNS = 20;
const RECORDS_PER_TURN = 2_500;

const [url] = process.argv.slice(2) as [string];
const delay = monitorEventLoopDelay({ resolution: 1 });
const app = express();
const sender = keytally({ url, token: 'kt_x', service: 'orders', environment: 'production', maxRecords: 100_000 });
const empty: RequestHandler = (_req, _res, next) => next();
let slices: Slice[] = [];
let answered = 0;
let since = now();

app.use(sender);
app.use(empty);
app.use(express.json());
app.get('/users/:id', (req, res) => {
  res.json({ id: req.params.id, name: 'Ada', roles: ['admin', 'billing'] });
  if (++answered === REQUESTS_PER_SLICE) void endSlice();
});
app.get('/orders/:customer', (req, res) => {
  res.json(orderList(req.params.customer, answered));
  if (++answered === LISTS_PER_SLICE) void endSlice();
});
/** Slices of one kind of request: the state of before is told and forgotten. */
app.get('/slices', (_req, res) => {
  const told = slices;
  slices = [];
  turnTo(variantOf(0));
  answered = 0;
  since = now();
  res.json(told);
});
app.get('/state', (_req, res) => {
  res.json({ stats: sender.stats(), longestDelayMs: delay.max / 1e6 });
  delay.reset();
});
/** Records far faster than requests can come, and answers when all of it is away. */
app.get('/burst', async (_req, res) => {
  for (let turn = 0; turn < BURST_TURNS; turn++) {
    for (let n = 0; n < RECORDS_PER_TURN; n++) {
      sender.record({ key: `secret-${n}`, method: 'GET', path: `/v1/things/${n}`, status: 200, latency_ms: n / 100 });
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
  await sender.flush();
  res.json({});
});

const router = app.router as unknown as { stack: { handle: unknown }[] };
const layers = router.stack;
const bare = layers.filter(({ handle }) => handle !== sender && handle !== empty);
const stacks: Record<Variant, typeof layers> = {
  without: bare,
  watching: bare,
  empty: layers.filter(({ handle }) => handle !== sender),
  with: layers.filter(({ handle }) => handle !== empty),
};
let stopWatching = () => {};

function turnTo(variant: Variant): void {
  router.stack = stacks[variant];
  stopWatching();
  if (variant === 'watching') stopWatching = sender.watch(server);
}

function variantOf(slice: number): Variant {
  return SLICE_ORDER[slice % SLICE_ORDER.length]!;
}

/** What was recorded is sent before the slice ends: what the SDK puts off is its own cost too. */
async function endSlice(): Promise<void> {
  await sender.flush();
  const until = now();
  slices.push({
    variant: variantOf(slices.length),
    requests: answered,
    seconds: (until.atMs - since.atMs) / 1_000,
    cpuMicros: until.cpuMicros - since.cpuMicros,
    longestDelayMs: delay.max / 1e6,
  });
  turnTo(variantOf(slices.length));
  delay.reset();
  answered = 0;
  since = until;
}

function now() {
  const { user, system } = process.cpuUsage();
  return { atMs: performance.now(), cpuMicros: user + system };
}

const server = app.listen(0, '127.0.0.1', () => {
  turnTo(variantOf(0));
  const { port } = server.address() as AddressInfo;
  delay.enable();
  process.stdout.write(`${JSON.stringify({ url: `http://127.0.0.1:${port}` })}\n`);
});
