import type { Store } from '../../workers/clickhouse/store.ts';
import { readInvariants } from '../../workers/invariants.ts';

/** Alerts of which the log of steps does not hold what `workers/invariants.sql` says; nothing is left out as too fresh. */
export async function brokenAlertLogs(store: Store): Promise<{ what: string; difference: number }[]> {
  const { sql } = readInvariants().find(({ name }) => name === 'alert_log')!;
  return store.query(sql, { settled: 4_000_000_000 });
}
