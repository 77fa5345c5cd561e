import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { Batch } from '../../ingest/batch.ts';
import { type Config, parseConfig } from '../../ingest/config.ts';
import { parseRecord } from '../../ingest/record.ts';
import type { Store } from '../../workers/clickhouse/store.ts';
import { type Geo, openGeo } from '../../workers/geo.ts';
import { insertRequests } from '../../workers/insert.ts';
import { requestBlock } from '../../workers/request-block.ts';
import { migratedStore } from '../support/migrated-store.ts';
import { Random } from '../support/random.ts';
import { ALL_TIERS, everyTier, tierCounts } from '../support/tiers.ts';
import { generateTraffic } from '../support/traffic.ts';

/** Filled from recent requests only. */
const RECENT = ['country_hours', 'traffic_seconds'];
const DAY_MS = 86_400_000;
const ROWS = 3_000;

let store: Store;
let geo: Geo;
let config: Config;

beforeAll(async () => {
  config = parseConfig({});
  geo = await openGeo(config);
  store = await migratedStore(config);
});
afterAll(() => store.close());
beforeEach(async () => {
  for (const table of [...ALL_TIERS, ...RECENT]) await store.command(`TRUNCATE TABLE ${table}`);
});

/** Rows of two months, so that one insert makes two partitions. */
async function rows(batchId: string, seed: number, spanMs = 40 * DAY_MS): Promise<Buffer> {
  const now = Date.now();
  const batch = new Batch();
  for (const sample of generateTraffic(new Random(seed), ROWS, 5, now - spanMs, now)) {
    const parsed = parseRecord(sample, 0, now, { pastMs: 400 * DAY_MS, futureMs: 0 });
    if (!('record' in parsed)) throw new Error(parsed.message);
    batch.add(parsed.record, '');
  }
  return requestBlock(batch, batchId, now, [{ first: 0, end: ROWS }], { geo, ipStorage: 'truncated' });
}

const counts = (tiers = ALL_TIERS) => tierCounts(store, tiers);
const all = (count: number, tiers = ALL_TIERS) => everyTier(count, tiers);

describe('one batch counts once', () => {
  test('delivered three times', async () => {
    const id = randomUUID();
    const text = await rows(id, 1);
    for (let delivery = 0; delivery < 3; delivery++) await insertRequests(store, id, text);
    expect(await counts()).toEqual(all(ROWS));
  });

  test('delivered three times, in the tables of the last minutes', async () => {
    const id = randomUUID();
    const text = await rows(id, 4, 5 * 60_000);
    for (let delivery = 0; delivery < 3; delivery++) await insertRequests(store, id, text);
    expect(await counts(['requests', ...RECENT])).toEqual(all(ROWS, ['requests', ...RECENT]));
  });

  test('equal rows under two ids count twice: the id decides, not the content', async () => {
    const text = await rows('fixed', 2);
    await insertRequests(store, randomUUID(), text);
    await insertRequests(store, randomUUID(), text);
    expect(await counts()).toEqual(all(2 * ROWS));
  });

  test('interleaved with other batches and repeated later', async () => {
    const ids = Array.from({ length: 6 }, () => randomUUID());
    const texts = await Promise.all(ids.map((id, seed) => rows(id, 10 + seed)));
    for (let round = 0; round < 2; round++)
      for (const [n, id] of ids.entries()) await insertRequests(store, id, texts[n]!);
    expect(await counts()).toEqual(all(6 * ROWS));
  });
});

describe('a materialized view that fails', () => {
  test('heals on the retry: every tier has the batch once', async () => {
    await store.command('CREATE TABLE broken (n UInt64) ENGINE = MergeTree ORDER BY n');
    await store.command(
      `CREATE MATERIALIZED VIEW broken_view TO broken AS
       SELECT throwIf(count() > 0, 'broken on purpose') AS n FROM requests`,
    );
    const id = randomUUID();
    const text = await rows(id, 3);
    await expect(insertRequests(store, id, text)).rejects.toThrow(/broken on purpose/);
    await store.command('DROP VIEW broken_view');
    await insertRequests(store, id, text);
    expect(await counts()).toEqual(all(ROWS));
    await insertRequests(store, id, text);
    expect(await counts()).toEqual(all(ROWS));
    await store.command('DROP TABLE broken');
  });
});
