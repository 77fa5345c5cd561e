/**
 * A small Express application: without the SDK, with an empty middleware in its place, or with it.
 *
 * usage: node sdk-host-part.js <address of Keytally, none or empty>
 */
import type { AddressInfo } from 'node:net';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import express from 'express';
import { keytally, type Sender } from '../../ingest/sender.ts';

const BURST_TURNS = 20;
const RECORDS_PER_TURN = 2_500;

const [url] = process.argv.slice(2) as [string];
const delay = monitorEventLoopDelay({ resolution: 1 });
const app = express();
let sender: Sender | undefined;

app.get('/state', (_req, res) => {
  const { user, system } = process.cpuUsage();
  res.json({ cpuMicros: user + system, longestDelayMs: delay.max / 1e6, stats: sender?.stats() });
  delay.reset();
});
/** Records far faster than requests can come, and answers when all of it is away. */
app.get('/burst', async (_req, res) => {
  for (let turn = 0; turn < BURST_TURNS; turn++) {
    for (let n = 0; n < RECORDS_PER_TURN; n++) {
      sender?.record({ key: `secret-${n}`, method: 'GET', path: `/v1/things/${n}`, status: 200, latency_ms: n / 100 });
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
  await sender?.flush();
  res.json({});
});
if (url === 'empty') app.use((_req, _res, next) => next());
else if (url !== 'none') {
  const usage = keytally({ url, token: 'kt_x', service: 'orders', environment: 'production', maxRecords: 100_000 });
  sender = usage;
  app.use(usage);
}
app.use(express.json());
app.get('/users/:id', (req, res) => void res.json({ id: req.params.id, name: 'Ada', roles: ['admin', 'billing'] }));
const server = app.listen(0, '127.0.0.1', () => {
  const { port } = server.address() as AddressInfo;
  delay.enable();
  process.stdout.write(`${JSON.stringify({ url: `http://127.0.0.1:${port}` })}\n`);
});
