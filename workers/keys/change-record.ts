import type { Store } from '../clickhouse/store.ts';
import { writeAudit } from './audit.ts';
import { auditOf, changeId, eventOf, TOLD_ACTIONS } from './change.ts';
import { type KeyEvent, writeEvents } from './events.ts';
import type { RegisteredKey } from './key.ts';

/** A writer this long ago has either written its audit row or been killed. */
const SETTLED_MS = 30_000;
/** Keys repaired in one step of a sweep. */
const REPAIR_CHUNK = 1_000;

/** Writes audit row and event of the versions that were just stored. The event last: it implies the audit row. @returns the events */
export async function recordChanges(store: Store, rows: readonly RegisteredKey[]): Promise<KeyEvent[]> {
  await writeAudit(store, rows.map(auditOf));
  const events = rows.flatMap((row) => eventOf(row) ?? []);
  await writeEvents(store, events);
  return events;
}

/** Writes what a killed writer left out. @returns how many versions lacked their audit row or event */
export async function recordMissing(store: Store, rows: readonly RegisteredKey[]): Promise<number> {
  const known = rows.filter((row) => row.change_action !== '');
  if (known.length === 0) return 0;
  const params = { key_ids: known.map((row) => row.key_id), ids: known.map(changeId) };
  const audited = await store.queryWriter<{ id: string }>(
    'SELECT id FROM audit WHERE subject IN {key_ids:Array(String)} AND id IN {ids:Array(String)}',
    params,
  );
  const told = await store.queryWriter<{ id: string }>(
    'SELECT id FROM key_events WHERE key_id IN {key_ids:Array(String)} AND id IN {ids:Array(String)}',
    params,
  );
  const auditIds = new Set(audited.map((row) => row.id));
  const eventIds = new Set(told.map((row) => row.id));
  const unaudited = known.filter((row) => !auditIds.has(changeId(row)));
  const untold = known.filter((row) => eventOf(row) && !eventIds.has(changeId(row)));
  await writeAudit(store, unaudited.map(auditOf));
  await writeEvents(
    store,
    untold.flatMap((row) => eventOf(row) ?? []),
  );
  return new Set([...unaudited, ...untold].map(changeId)).size;
}

const IN_TIME = `updated_at >= fromUnixTimestamp64Milli({since:Int64}) AND updated_at < fromUnixTimestamp64Milli({until:Int64})`;
const CHANGED = `SELECT key_id FROM keys WHERE ${IN_TIME}`;
const NOT_BEFORE = 'at >= fromUnixTimestamp64Milli({since:Int64})';

/** Versions without audit row or event; the engine compares, because after an import all keys are among those that changed. */
const INCOMPLETE = `
  SELECT key_id FROM keys FINAL
  WHERE key_id > {after:String} AND change_action != '' AND ${IN_TIME}
    AND (concat(key_id, '@', toString(version)) NOT IN (SELECT id FROM audit WHERE subject IN (${CHANGED}) AND ${NOT_BEFORE})
      OR change_action IN {told:Array(String)}
        AND concat(key_id, '@', toString(version)) NOT IN (SELECT id FROM key_events WHERE key_id IN (${CHANGED}) AND ${NOT_BEFORE}))
  ORDER BY key_id LIMIT ${REPAIR_CHUNK}`;

/**
 * Completes the audit after a kill: finds versions that were stored since `sinceMs` without audit row or event.
 * @param signal ends it between two steps
 * @returns how many were completed, and whether all were looked at
 */
export async function repairRecords(
  store: Store,
  sinceMs: number,
  nowMs: number,
  signal?: AbortSignal,
): Promise<{ repaired: number; finished: boolean }> {
  let repaired = 0;
  let after = '';
  const params = { since: sinceMs, until: nowMs - SETTLED_MS, told: TOLD_ACTIONS };
  while (!signal?.aborted) {
    const rows = await store.queryWriter<RegisteredKey>(
      `SELECT * FROM keys FINAL WHERE key_id IN (${INCOMPLETE}) ORDER BY key_id`,
      { ...params, after },
    );
    repaired += await recordMissing(store, rows);
    if (rows.length < REPAIR_CHUNK) return { repaired, finished: true };
    after = rows.at(-1)!.key_id;
  }
  return { repaired, finished: false };
}
