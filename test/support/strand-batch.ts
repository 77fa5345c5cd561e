import type { JobsOptions } from 'bullmq';
import { Batch, encodeBatch } from '../../ingest/batch.ts';
import { openBatchQueue } from '../../ingest/queue.ts';
import type { Redis } from '../../ingest/redis.ts';
import { PLAIN_RECORD } from './plain-record.ts';

/** Puts a batch of one request into a shard, as one of a time with more shards lies there. The key and the batch are called `stranded`. */
export async function strandBatch(redis: Redis, shard: number, options: JobsOptions = {}): Promise<void> {
  const batch = new Batch();
  batch.add({ ...PLAIN_RECORD, keyId: 'stranded', timestampMs: Date.now() }, '');
  const queue = openBatchQueue(redis, shard);
  const payload = await encodeBatch(batch);
  const job = { rows: 1, claims: [], receivedAtMs: Date.now(), payload };
  await queue.add('batch', job, { ...options, jobId: 'stranded' });
  await queue.close();
}
