import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Batch } from '../../ingest/batch.ts';
import { parseConfig } from '../../ingest/config.ts';
import { parseRecord } from '../../ingest/record.ts';
import { migrate } from '../../workers/clickhouse/migrate.ts';
import { storagePerTable } from '../../workers/clickhouse/storage.ts';
import { openStore, type Store } from '../../workers/clickhouse/store.ts';
import { type Geo, openGeo } from '../../workers/geo.ts';
import { insertRequests } from '../../workers/insert.ts';
import { requestBlock } from '../../workers/request-block.ts';
import { Random } from '../support/random.ts';
import { benchTraffic } from './bench-traffic.ts';

const BATCH_ROWS = 50_000;
const BATCHES = 20;
/** Traffic of an hour: 278 requests a second. */
const SPAN_MS = 3_600_000;
const WINDOW = { pastMs: 1e10, futureMs: 1e10 };

/** Bytes on disk per request of each table after merges, for a million requests of an hour; and of the largest columns of `requests`. */
export async function benchDisk(say: (line: string) => void): Promise<Record<string, number>> {
  const figures: Record<string, number> = {};
  for (const withUuid of [false, true]) {
    const folder = mkdtempSync(join(tmpdir(), 'keytally-disk-'));
    const config = parseConfig({});
    const store = await openStore(config, join(folder, 'clickhouse'));
    await migrate(store, config);
    await fill(store, await openGeo(config), withUuid);
    const suffix = withUuid ? '_with_uuid' : '';
    let total = 0;
    for (const { table, bytes_on_disk } of await storagePerTable(store, config)) {
      const perRequest = bytes_on_disk / (BATCHES * BATCH_ROWS);
      total += perRequest;
      if (perRequest > 0.05 && (table === 'requests' || !withUuid))
        figures[table + suffix] = Number(perRequest.toFixed(2));
    }
    figures[`all_tables${suffix}`] = Number(total.toFixed(2));
    say(`${withUuid ? 'with' : 'without'} request ids: ${figures[`requests${suffix}`]} bytes per request`);
    if (!withUuid) Object.assign(figures, await perColumn(store));
    await store.close();
    rmSync(folder, { recursive: true, force: true });
  }
  return figures;
}

async function fill(store: Store, geo: Geo, withUuid: boolean): Promise<void> {
  const random = new Random(11);
  const startMs = Date.now() - SPAN_MS;
  for (let n = 0; n < BATCHES; n++) {
    const batch = new Batch();
    for (const [at, record] of benchTraffic(random, BATCH_ROWS, 0, withUuid).entries()) {
      const timestamp = startMs + Math.floor(((n + at / BATCH_ROWS) / BATCHES) * SPAN_MS);
      const parsed = parseRecord({ ...record, timestamp }, 0, startMs, WINDOW);
      if ('record' in parsed) batch.add(parsed.record, '');
    }
    const range = [{ first: 0, end: batch.rows }];
    const id = `00000000-0000-4000-8000-0000000000${String(n).padStart(2, '0')}`;
    await insertRequests(
      store,
      id,
      await requestBlock(batch, id, startMs + (n * SPAN_MS) / BATCHES, range, { geo, ipStorage: 'truncated' }),
    );
  }
  const tables = await store.query<{ name: string }>(
    "SELECT name FROM system.tables WHERE database = currentDatabase() AND engine LIKE '%MergeTree' AND total_rows > 0",
  );
  for (const { name } of tables) await store.command(`OPTIMIZE TABLE ${name} FINAL`);
}

async function perColumn(store: Store): Promise<Record<string, number>> {
  const columns = await store.query<{ name: string; bytes: number }>(
    `SELECT name, round(data_compressed_bytes / ${BATCHES * BATCH_ROWS}, 2) AS bytes FROM system.columns
     WHERE database = currentDatabase() AND table = 'requests' ORDER BY bytes DESC LIMIT 10`,
  );
  return Object.fromEntries(columns.map(({ name, bytes }) => [`requests.${name}`, bytes]));
}
