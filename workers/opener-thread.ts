// Program of an opener thread: see threaded-opener.ts, which starts it.
import { workerData } from 'node:worker_threads';
import { createLogger } from '../ingest/logger.ts';
import { type Answered, serveThread } from '../ingest/serve-thread.ts';
import { startDirectOpener } from './direct-opener.ts';
import { type BatchOpener, type OpenedBatch, UnreadableBatch } from './opened-batch.ts';
import type { Opened, OpenerAbout, OpenerAsk, OpenerStart } from './opener-messages.ts';

/** As many as the worker has under way: shards times WORKER_CONCURRENCY. */
const open = new Map<number, OpenedBatch>();
let nextBatch = 0;

async function openBatch(opener: BatchOpener, { batchId, job }: Extract<OpenerAsk, { kind: 'open' }>): Promise<Opened> {
  try {
    const opened = await opener.open(batchId, job);
    const batch = nextBatch++;
    open.set(batch, opened);
    return { batch, rows: opened.rows, rateLimits: opened.rateLimits, geoBuiltAtMs: opener.geoBuiltAt.getTime() };
  } catch (error) {
    if (error instanceof UnreadableBatch) return { unreadable: error.message };
    throw error;
  }
}

async function askBatch(ask: Exclude<OpenerAsk, { kind: 'open' }>): Promise<Answered> {
  const batch = open.get(ask.batch)!;
  switch (ask.kind) {
    case 'request_ids': {
      const ids = await batch.requestIds(ask.unique);
      return { answer: ids, transfer: [ids.rows.buffer, ids.digests.buffer] };
    }
    case 'block': {
      const block = await batch.block(ask.ranges);
      return { answer: block, transfer: [block.buffer as ArrayBuffer] };
    }
    case 'keep':
      return { answer: await batch.keep(ask.rows) };
    case 'close':
      open.delete(ask.batch);
      batch.close();
      return { answer: undefined };
  }
}

await serveThread<OpenerAsk>(async () => {
  const { config } = workerData as OpenerStart;
  const opener = await startDirectOpener(config, createLogger(config, 'worker'));
  return {
    about: { geoBuiltAtMs: opener.geoBuiltAt.getTime() } satisfies OpenerAbout,
    answer: async (ask) => (ask.kind === 'open' ? { answer: await openBatch(opener, ask) } : askBatch(ask)),
    close: () => opener.close(),
  };
});
