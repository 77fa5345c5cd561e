import type { QueryParams, Store } from '../clickhouse/store.ts';
import { type KeyEvent, writeNewEvents } from './events.ts';
import { dueNotices, type NoticeKey, type NoticeSettings } from './notices.ts';

/** Candidates read together: every reading passes over all keys. */
const CANDIDATES_AT_ONCE = 20_000;
/** Keys decided together: notices are written and handed over page by page. */
const PAGE = 1_000;
/**
 * Notices of one sweep. After an import of very many keys, or a long time without sweeps, the next ones go on with the rest:
 * a sweep stays short, and so does stopping.
 */
const MAX_NOTICES_PER_SWEEP = 10_000;

/** How far a look at all keys has come; what becomes due meanwhile is found by the next one. */
export interface NoticePass {
  /** Due since then, epoch milliseconds. */
  sinceMs: number;
  /** When it began: the next pass looks back to here. */
  startedMs: number;
  /** Keys up to this id are done. */
  after: string;
  /** By which settings it looks, as JSON; absent in passes that were begun by an older version. */
  settings?: string;
}

export interface SweptNotices {
  notices: number;
  /** Where the next sweep goes on; undefined = all keys were looked at. */
  rest: NoticePass | undefined;
  /** Keys that are left for the next sweeps and may be due a notice. */
  waiting: number;
}

export interface NoticeSweepOptions {
  /** Called with the new notices of each page, after they are stored. */
  handOver: (notices: readonly KeyEvent[]) => Promise<void>;
  /** Ends the sweep after the page that it has begun. */
  signal?: AbortSignal | undefined;
  /** Default: {@link MAX_NOTICES_PER_SWEEP}. */
  maxNotices?: number | undefined;
}

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
  ORDER BY key_id`;

/** Writes the notices that became due since the pass' `sinceMs`, each once however often and wherever this runs. */
export async function sweepNotices(
  store: Store,
  settings: NoticeSettings,
  pass: NoticePass,
  nowMs: number,
  options: NoticeSweepOptions,
): Promise<SweptNotices> {
  const { handOver, signal, maxNotices = MAX_NOTICES_PER_SWEEP } = options;
  const params = { since: pass.sinceMs, now: nowMs, days: settings.reminderDays, rotation_days: settings.rotationDays };
  let notices = 0;
  let { after } = pass;
  for (;;) {
    const candidates = await store.queryWriter<Candidate>(`${CANDIDATES} LIMIT ${CANDIDATES_AT_ONCE}`, {
      ...params,
      after,
    });
    for (let at = 0; at < candidates.length; at += PAGE) {
      if (notices >= maxNotices || signal?.aborted)
        return { notices, rest: { ...pass, after }, waiting: await countAfter(store, params, after) };
      const page = candidates.slice(at, at + PAGE);
      const written = await writePage(store, settings, page, nowMs);
      await handOver(written);
      notices += written.length;
      after = page.at(-1)!.key_id;
    }
    if (candidates.length < CANDIDATES_AT_ONCE) return { notices, rest: undefined, waiting: 0 };
  }
}

type Candidate = Omit<NoticeKey, 'successorInUse'>;

async function writePage(
  store: Store,
  settings: NoticeSettings,
  page: readonly Candidate[],
  nowMs: number,
): Promise<KeyEvent[]> {
  const successors = page.map((key) => key.successor_key_id).filter((id) => id !== '');
  const used = await usedKeys(store, successors);
  const due = page.flatMap((key) =>
    dueNotices({ ...key, successorInUse: used.has(key.successor_key_id) }, settings, nowMs),
  );
  return writeNewEvents(store, due);
}

async function countAfter(store: Store, params: QueryParams, after: string): Promise<number> {
  const [row] = await store.queryWriter<{ n: number }>(`SELECT count() AS n FROM (${CANDIDATES})`, {
    ...params,
    after,
  });
  return row!.n;
}

async function usedKeys(store: Store, keyIds: readonly string[]): Promise<Set<string>> {
  if (keyIds.length === 0) return new Set();
  const rows = await store.queryWriter<{ key_id: string }>(
    'SELECT DISTINCT key_id FROM key_totals WHERE key_id IN {key_ids:Array(String)} AND requests > 0',
    { key_ids: [...new Set(keyIds)] },
  );
  return new Set(rows.map((row) => row.key_id));
}
