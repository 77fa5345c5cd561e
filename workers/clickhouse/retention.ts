import type { Config } from '../../ingest/config.ts';
import type { Store } from './store.ts';

/**
 * What ended an alert may go before what opened it, where the two lie in parts of different months, and the alert would seem to be open again. So they
 * all stay for a while after nobody looks at them any more (see `alertsKeptMs`).
 */
const ALERTS_MARGIN_DAYS = 31;

/** Days each table keeps its rows, and the column that tells their age. */
function retentionOf(config: Config): Record<string, { column: string; days: number }> {
  const minutes = config.RETENTION_MINUTE_DAYS;
  const quarterHours = config.RETENTION_QUARTER_HOUR_DAYS;
  const days = config.RETENTION_DAY_DAYS;
  const tables: Record<string, { column: string; days: number }> = {
    // A day longer than said: a range of that many days begins at a local midnight before.
    requests: { column: 'toDateTime(timestamp)', days: config.RETENTION_REQUESTS_DAYS + 1 },
    usage_minute: { column: 'start', days: minutes },
    deliveries: { column: 'toDateTime(created_at)', days: config.RETENTION_DELIVERIES_DAYS },
    key_events: { column: 'toDateTime(at)', days: config.RETENTION_KEY_EVENTS_DAYS },
    alert_events: { column: 'toDateTime(at)', days: config.RETENTION_ALERTS_DAYS + ALERTS_MARGIN_DAYS },
    audit: { column: 'toDateTime(at)', days: config.RETENTION_AUDIT_DAYS },
  };
  for (const table of ['usage', 'endpoints', 'countries', 'statuses']) {
    tables[`${table}_quarter_hour`] = { column: 'start', days: quarterHours };
    tables[`${table}_day`] = { column: 'start', days };
  }
  return tables;
}

/**
 * Whether a table's definition deletes rows at this age. An operator's own rules beside it (a move to a cold volume) are
 * left alone then. Pure.
 */
export function deletesAfter(engineFull: string, column: string, days: number): boolean {
  const rules = /\bTTL (.*?)(?: SETTINGS |$)/s.exec(engineFull)?.[1] ?? '';
  const wanted = `${column} + toIntervalDay(${days})`;
  return rules.split(/,\s*/).some((rule) => rule === wanted || rule === `${wanted} DELETE`);
}

/**
 * Sets the TTL of every table as configured, where it differs. Rows beyond it go at the next merges; nothing
 * is rewritten at once. Each part carries when its rows are to go: where there was another rule, that is worked out anew for all
 * parts, or what is merged already would keep to the old one for as long as that was.
 */
export async function applyRetention(store: Store, config: Config): Promise<void> {
  const suffix = config.CLICKHOUSE_CLUSTER ? '_local' : '';
  const onCluster = config.CLICKHOUSE_CLUSTER ? ` ON CLUSTER '${config.CLICKHOUSE_CLUSTER}'` : '';
  const present = await store.queryWriter<{ name: string; engine_full: string }>(
    'SELECT name, engine_full FROM system.tables WHERE database = currentDatabase()',
  );
  for (const [table, { column, days }] of Object.entries(retentionOf(config))) {
    // Tables of the registry and of delivery are whole on every node: they have no part of their own.
    const name = present.some((row) => row.name === table + suffix) ? table + suffix : table;
    const engine = present.find((row) => row.name === name)?.engine_full;
    // A backup of an older schema is restored under that one.
    if (engine === undefined || deletesAfter(engine, column, days)) continue;
    await store.command(
      `ALTER TABLE ${name}${onCluster} MODIFY TTL ${column} + toIntervalDay(${days})
       SETTINGS materialize_ttl_after_modify = 0`,
    );
    if (!/\bTTL /.test(engine)) continue;
    // Only the column that tells the age is read, and nobody waits for it.
    await store.command(`ALTER TABLE ${name}${onCluster} MODIFY SETTING materialize_ttl_recalculate_only = 1`);
    await store.command(`ALTER TABLE ${name}${onCluster} MATERIALIZE TTL SETTINGS mutations_sync = 0`);
  }
}
