import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type LocalRedis, startLocalRedis } from '../../ingest/local-redis.ts';
import { openBatchQueue } from '../../ingest/queue.ts';
import { connectRedis } from '../../ingest/redis.ts';
import { startPart } from '../support/process.ts';
import { knowToken } from './bench-traffic.ts';
import { Poster } from './poster.ts';

const WAITING_RECORDS = 400_000;
const PER_POST = 5_000;

/** Memory of Redis per record that waits, without and with a random 36-character request id. */
export async function benchWaiting(): Promise<Record<string, number>> {
  const folder = mkdtempSync(join(tmpdir(), 'keytally-waiting-'));
  const redis = await startLocalRedis({ dataDir: folder, log: () => {}, maxMemoryBytes: 2 ** 31 });
  const plain = await bytesPerWaitingRecord(redis, false);
  const withUuid = await bytesPerWaitingRecord(redis, true);
  await redis.stop();
  rmSync(folder, { recursive: true, force: true });
  return { redis_bytes_per_waiting_record: plain, redis_bytes_per_waiting_record_with_uuid: withUuid };
}

/**
 * Memory of Redis with records waiting and nobody taking them, over the number of records. Measured when the collector has
 * gone: the buffers of its connection are those of a few batches, however many wait.
 */
export async function bytesPerWaitingRecord(redis: LocalRedis, withUuid: boolean): Promise<number> {
  const connection = await connectRedis(redis.url, 'producer', () => {});
  await knowToken(connection);
  const usedBytes = async () => Number(/^used_memory:(\d+)/m.exec(await connection.info('memory'))?.[1]);
  const before = await usedBytes();
  const collector = await startPart('ingest', { REDIS_URL: redis.url });
  const url = `${collector.url}/v1/requests`;
  const poster = await Poster.start({ url, records: WAITING_RECORDS, recordsPerPost: PER_POST, seed: 3, withUuid });
  await poster.post();
  poster.stop();
  await collector.kill('SIGTERM');
  const bytes = (await usedBytes()) - before;
  const queue = openBatchQueue(connection, 0);
  await queue.obliterate({ force: true });
  await queue.close();
  connection.disconnect();
  return Number((bytes / WAITING_RECORDS).toFixed(1));
}
