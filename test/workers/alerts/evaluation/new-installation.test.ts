import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseConfig } from '../../../../ingest/config.ts';
import { ensureBaselines } from '../../../../workers/alerts/evaluation/baselines.ts';
import type { Store } from '../../../../workers/clickhouse/store.ts';
import { migratedStore } from '../../../support/migrated-store.ts';
import { HOUR_SECONDS } from './seeded-history.ts';

const DAY_SECONDS = 86_400;
const NOW = Math.floor(Date.now() / 3_600_000) * HOUR_SECONDS;
const iso = (seconds: number) => new Date(seconds * 1000).toISOString();

let store: Store;
beforeAll(async () => {
  store = await migratedStore(parseConfig({}));
});
afterAll(() => store.close());

const baselines = (hour: number) =>
  store.query<{ key_id: string; requests_28d: number }>(
    `SELECT key_id, requests_28d FROM alert_baselines FINAL WHERE hour = toDateTime(${hour}, 'UTC') ORDER BY key_id`,
  );
const MARKER = { key_id: '', requests_28d: 0 };

test('hours before which nothing was counted are noted as made, and hold no key', async () => {
  const hours = [NOW - HOUR_SECONDS, NOW];
  expect(await ensureBaselines(store, hours)).toEqual(hours);
  for (const hour of hours) expect(await baselines(hour)).toEqual([MARKER]);
  expect(await ensureBaselines(store, hours)).toEqual([]);
});

test('a key has its row in the hour after the first one that it used', async () => {
  await store.insertRows('traffic_buckets', [{ start: iso(NOW + 600), key_id: 'first', requests: 7, timed: 7 }]);
  await store.insertRows('key_totals', [
    { key_id: 'first', requests: 7, first_seen: iso(NOW + 600), tracking_since: iso(NOW + 600) },
  ]);
  await ensureBaselines(store, [NOW + HOUR_SECONDS]);
  expect(await baselines(NOW + HOUR_SECONDS)).toEqual([MARKER, { key_id: 'first', requests_28d: 0 }]);
});

test('what was counted before alerts were evaluated at all is history', async () => {
  await store.command('TRUNCATE TABLE traffic_buckets');
  const day = Math.floor(NOW / DAY_SECONDS) * DAY_SECONDS + 3 * DAY_SECONDS;
  await store.insertRows('statuses_day', [{ key_id: 'old', start: iso(day - DAY_SECONDS), status: 200, requests: 50 }]);
  await store.insertRows('key_totals', [
    {
      key_id: 'old',
      requests: 50,
      first_seen: iso(day - 40 * DAY_SECONDS),
      tracking_since: iso(day - 40 * DAY_SECONDS),
    },
  ]);
  await ensureBaselines(store, [day]);
  expect(await baselines(day)).toEqual([MARKER, { key_id: 'old', requests_28d: 50 }]);
});
