import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Batch } from '../../ingest/batch.ts';
import { startLocalRedis } from '../../ingest/local-redis.ts';
import { connectRedis } from '../../ingest/redis.ts';
import { repeatedRows, requestIdsOf, WINDOW_SECONDS } from '../../workers/request-ids.ts';

const SIZES = [10_000, 100_000, 1_000_000, 4_000_000];
const IDS_PER_BATCH = 25_000;

function batchOf(first: number, count: number): Batch {
  const batch = new Batch();
  for (let n = first; n < first + count; n++) {
    batch.add(
      {
        keyId: `key_${n % 500}`,
        timestampMs: 1_768_471_200_000 + n,
        method: '',
        path: '',
        route: '',
        status: 200,
        latencyMs: Number.NaN,
        requestBytes: 0,
        responseBytes: 0,
        ip: '',
        country: '',
        userAgent: '',
        requestId: `request-${n}`,
        service: '',
        environment: '',
        rateLimited: false,
        error: '',
      },
      '',
    );
  }
  return batch;
}

/** Redis memory per remembered request id, and time per record of claiming them, for several numbers of ids. */
export async function benchRequestIds(say: (line: string) => void): Promise<Record<string, number>> {
  const folder = mkdtempSync(join(tmpdir(), 'keytally-bench-'));
  const server = await startLocalRedis({ dataDir: folder, log: () => {}, maxMemoryBytes: 2 ** 31 });
  const redis = await connectRedis(server.url, 'producer', () => {});
  const used = async () => Number(/^used_memory:(\d+)/m.exec(await redis.info('memory'))?.[1]);
  const before = await used();
  const figures: Record<string, number> = { window_seconds_at_least: WINDOW_SECONDS };
  let claimed = 0;
  for (const size of SIZES) {
    const from = claimed;
    const startedAt = performance.now();
    for (; claimed < size; claimed += IDS_PER_BATCH) {
      const rows = Math.min(IDS_PER_BATCH, size - claimed);
      await repeatedRows(
        redis,
        { confirm: async () => {} },
        `batch-${claimed}`,
        await requestIdsOf(batchOf(claimed, rows), [{ caller: 'c', firstRow: 0, rows }]),
        1_768_471_200_000,
      );
    }
    claimed = size;
    figures[`bytes_per_id_at_${size}`] = Number((((await used()) - before) / size).toFixed(1));
    figures[`microseconds_per_id_at_${size}`] = Number(
      (((performance.now() - startedAt) * 1000) / (size - from)).toFixed(2),
    );
    say(`${size} ids: ${figures[`bytes_per_id_at_${size}`]} bytes each`);
  }
  redis.disconnect();
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
  return figures;
}
