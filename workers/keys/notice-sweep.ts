import type { Store } from '../clickhouse/store.ts';
import { type KeyEvent, writeNewEvents } from './events.ts';
import { dueNotices, type NoticeKey, type NoticeSettings } from './notices.ts';

/** Keys looked at together. */
const PAGE = 5_000;

/**
 * Keys for which a notice became due since the last sweep, or that were changed since then: ClickHouse finds these
 * few among all, the decision is made here.
 */
const CANDIDATES = `
  SELECT key_id, organization_id, name, status, expires_at, created_at, rotated_at, successor_key_id, owner_name, owner_email
  FROM (SELECT *, ifNull(toUnixTimestamp64Milli(expires_at), 0) AS expires_ms,
          toUnixTimestamp64Milli(ifNull(rotated_at, created_at)) + {rotation_days:Int64} * 86400000 AS rotation_ms
        FROM keys FINAL
        WHERE key_id > {after:String} AND NOT deleted AND status IN ('active', 'expired'))
  WHERE (expires_ms > 0 AND (updated_at >= fromUnixTimestamp64Milli({since:Int64})
            OR arrayExists(at -> at > {since:Int64} AND at <= {now:Int64},
                 arrayMap(days -> if(days = 0, intDiv(expires_ms, 86400000) * 86400000, expires_ms - days * 86400000),
                          {days:Array(Int64)}))))
     OR ({rotation_days:Int64} > 0 AND status = 'active' AND rotation_ms <= {now:Int64}
         AND (updated_at >= fromUnixTimestamp64Milli({since:Int64}) OR rotation_ms > {since:Int64}))
  ORDER BY key_id LIMIT ${PAGE}`;

/**
 * Writes the notices that became due since `sinceMs`, each once however often and wherever this runs.
 * @returns those that were new
 */
export async function sweepNotices(
  store: Store,
  settings: NoticeSettings,
  sinceMs: number,
  nowMs: number,
): Promise<KeyEvent[]> {
  const written: KeyEvent[] = [];
  let after = '';
  for (;;) {
    const page = await store.queryWriter<Omit<NoticeKey, 'successorInUse'>>(CANDIDATES, {
      after,
      since: sinceMs,
      now: nowMs,
      days: settings.reminderDays,
      rotation_days: settings.rotationDays,
    });
    const used = await usedKeys(
      store,
      page.map((key) => key.successor_key_id).filter((id) => id !== ''),
    );
    const notices = page.flatMap((key) =>
      dueNotices({ ...key, successorInUse: used.has(key.successor_key_id) }, settings, nowMs),
    );
    written.push(...(await writeNewEvents(store, notices)));
    if (page.length < PAGE) return written;
    after = page.at(-1)!.key_id;
  }
}

async function usedKeys(store: Store, keyIds: readonly string[]): Promise<Set<string>> {
  if (keyIds.length === 0) return new Set();
  const rows = await store.queryWriter<{ key_id: string }>(
    'SELECT DISTINCT key_id FROM key_totals WHERE key_id IN {key_ids:Array(String)} AND requests > 0',
    { key_ids: [...new Set(keyIds)] },
  );
  return new Set(rows.map((row) => row.key_id));
}
