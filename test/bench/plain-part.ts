/**
 * The pipeline most projects begin with, as two processes like ours: a collector that makes one job of each record, and
 * a worker that gathers jobs and inserts them into the same tables. Made as fast as that shape allows: bulk adds, many
 * jobs at once, inserts of thousands of rows, jobs acknowledged after the insert.
 *
 * usage: node plain-part.js collector|worker <redis url> <data folder>
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { Queue, Worker } from 'bullmq';
import { Redis } from 'ioredis';
import { Batch } from '../../ingest/batch.ts';
import { parseConfig } from '../../ingest/config.ts';
import { parseRecord, type RequestRecord } from '../../ingest/record.ts';
import { migrate } from '../../workers/clickhouse/migrate.ts';
import { openStore } from '../../workers/clickhouse/store.ts';
import { openGeo } from '../../workers/geo.ts';
import { insertRequests } from '../../workers/insert.ts';
import { requestBlock } from '../../workers/request-block.ts';

const PREFIX = '{plain}';
const CONCURRENCY = 5_000;
const FLUSH_ROWS = 5_000;
const FLUSH_MS = 100;
const WINDOW = { pastMs: 1e10, futureMs: 1e10 };

const [part, redisUrl, folder] = process.argv.slice(2) as [string, string, string];
const connection = new Redis(redisUrl, { maxRetriesPerRequest: null });

async function collector(): Promise<void> {
  const queue = new Queue<RequestRecord>('plain', { connection, prefix: PREFIX });
  const server = createServer(async (req, res) => {
    const chunks: Buffer[] = [];
    for await (const chunk of req) chunks.push(chunk as Buffer);
    const jobs = Buffer.concat(chunks)
      .toString('utf8')
      .split('\n')
      .map((line) => parseRecord(JSON.parse(line), 0, Date.now(), WINDOW))
      .flatMap((parsed) =>
        'record' in parsed ? [{ name: 'r', data: parsed.record, opts: { removeOnComplete: true } }] : [],
      );
    await queue.addBulk(jobs);
    res.writeHead(202).end();
  });
  server.listen(0, '127.0.0.1', () => say({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }));
}

async function worker(): Promise<void> {
  const config = parseConfig({});
  const geo = await openGeo(config);
  const store = await openStore(config, join(folder, 'clickhouse'));
  await migrate(store, config);
  let open = { batch: new Batch(), waiting: [] as (() => void)[] };
  let inserts = Promise.resolve();
  let number = 0;
  const flush = () => {
    const { batch, waiting } = open;
    if (batch.rows === 0) return;
    open = { batch: new Batch(), waiting: [] };
    const id = `plain-${number++}`;
    const rows = requestBlock(batch, id, Date.now(), [{ first: 0, end: batch.rows }], { geo, ipStorage: 'truncated' });
    inserts = inserts
      .then(async () => insertRequests(store, id, await rows))
      .then(() => waiting.forEach((done) => void done()));
  };
  setInterval(flush, FLUSH_MS);
  new Worker<RequestRecord>(
    'plain',
    ({ data }) =>
      new Promise<void>((resolve) => {
        // JSON has no NaN: an absent latency arrives as null.
        open.batch.add({ ...data, latencyMs: data.latencyMs ?? Number.NaN }, '');
        open.waiting.push(resolve);
        if (open.batch.rows >= FLUSH_ROWS) flush();
      }),
    { connection, prefix: PREFIX, concurrency: CONCURRENCY },
  );
  say({ url: '' });
}

function say(message: object): void {
  process.stdout.write(`${JSON.stringify(message)}\n`);
}

await (part === 'collector' ? collector() : worker());
