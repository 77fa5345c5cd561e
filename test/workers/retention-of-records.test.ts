import { expect, test } from 'vitest';
import { applyRetention } from '../../workers/clickhouse/retention.ts';
import { migratedStore } from '../support/migrated-store.ts';
import { testConfig } from '../support/stack.ts';

test('deliveries, key events, alerts and the audit are kept as long as configured, and a change is applied', async () => {
  const store = await migratedStore(testConfig());
  const daysOf = async (table: string) => {
    const [row] = await store.query<{ engine_full: string }>(
      'SELECT engine_full FROM system.tables WHERE database = currentDatabase() AND name = {table:String}',
      { table },
    );
    return Number(/TTL \S+\(\w+\) \+ toIntervalDay\((\d+)\)/.exec(row!.engine_full)?.[1]);
  };
  const days = () => Promise.all(['deliveries', 'key_events', 'alert_events', 'audit'].map(daysOf));
  await applyRetention(store, testConfig());
  expect(await days()).toEqual([90, 400, 431, 1825]);
  await applyRetention(
    store,
    testConfig({ RETENTION_DELIVERIES_DAYS: '30', RETENTION_ALERTS_DAYS: '90', RETENTION_AUDIT_DAYS: '365' }),
  );
  expect(await days()).toEqual([30, 400, 121, 365]);
  // Rows beyond it go; those within it stay.
  const row = (id: string, created_at: string) => ({ delivery_id: id, channel_id: 'c', created_at, version: 1 });
  await store.insertRows('deliveries', [row('old', '2020-01-01T00:00:00.000Z'), row('new', new Date().toISOString())]);
  await store.command('OPTIMIZE TABLE deliveries FINAL');
  expect(await store.query('SELECT delivery_id FROM deliveries')).toEqual([{ delivery_id: 'new' }]);
  await store.close();
});
