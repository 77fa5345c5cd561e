import type { Store } from '../../workers/clickhouse/store.ts';

/** A fingerprint of every table's rows, folded as a reader sees them, in no order. */
export async function fingerprints(store: Store): Promise<Record<string, string>> {
  const tables = await store.queryWriter<{ name: string; engine: string }>(
    `SELECT name, engine FROM system.tables
     WHERE database = currentDatabase() AND endsWith(engine, 'MergeTree') AND name != 'schema_migrations' ORDER BY name`,
  );
  const result: Record<string, string> = {};
  for (const { name, engine } of tables) {
    const columns = await store.queryWriter<{ name: string; type: string }>(
      'SELECT name, type FROM system.columns WHERE database = currentDatabase() AND table = {table:String}',
      { table: name },
    );
    const values = columns.map(({ name: column, type }) =>
      type.startsWith('AggregateFunction')
        ? `toString(finalizeAggregation(\`${column}\`))`
        : `ifNull(toString(\`${column}\`), '∅')`,
    );
    const final = engine === 'MergeTree' ? '' : 'FINAL';
    const [row] = await store.queryWriter<{ n: number; fingerprint: string }>(
      `SELECT count() AS n, toString(sum(cityHash64(${values.join(', ')}))) AS fingerprint FROM ${name} ${final}`,
    );
    result[name] = `${row!.n} rows ${row!.fingerprint}`;
  }
  return result;
}
