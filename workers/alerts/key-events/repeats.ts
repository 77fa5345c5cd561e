import type { Store } from '../../clickhouse/store.ts';
import type { AlertEvent, AlertEvidence } from '../alert.ts';
import { findStates, writeAlertEvents } from '../evaluation/event-store.ts';
import { noFacts, readKeyFacts } from '../evaluation/key-facts.ts';
import { eventsWritten } from '../evaluation/metrics.ts';
import type { LimitParts } from '../limits/look.ts';
import { handOver } from '../outbox.ts';
import { effectiveOf, RuleBook } from '../rules/rule.ts';
import { Rules } from '../rules/rule-store.ts';
import { silencedUntil } from '../silence-matching.ts';
import { readSilences } from '../silence-reader.ts';
import { KEY_EVENT_KINDS } from './key-alert.ts';
import { noticeRepeat, repeatMsOf } from './notice-repeat.ts';

const PAGE = 5_000;

interface NoticeRow {
  alert_key: string;
  evidence: string;
}

/** Notices that are open, by their newest row, and were told last before a time. */
const OPEN = `SELECT alert_key, argMax(e.phase, (at, recorded_at)) AS phase, argMax(e.evidence, (at, recorded_at)) AS evidence
  FROM alert_events AS e WHERE kind IN {kinds:Array(String)} AND alert_key > {after:String}
    AND at >= fromUnixTimestamp64Milli({since:Int64}) GROUP BY alert_key
  HAVING phase = 'firing' AND JSONExtractInt(argMax(e.state, (at, recorded_at)), 'lastNotifiedAtMs') <= {before:Int64}
  ORDER BY alert_key LIMIT ${PAGE}`;

/** Tells notices about keys again that nobody acknowledged. @returns how many */
export async function repeatNotices(parts: LimitParts, nowMs: number): Promise<number> {
  const { store } = parts;
  const book = new RuleBook(await new Rules(store).list());
  const kinds = KEY_EVENT_KINDS.filter((kind) => shortestRepeatMs(kind, book) > 0);
  if (kinds.length === 0) return 0;
  const before = nowMs - Math.min(...kinds.map((kind) => shortestRepeatMs(kind, book)));
  let told = 0;
  let after = '';
  for (;;) {
    const page = await store.query<NoticeRow>(OPEN, { kinds, after, before, since: nowMs - parts.alertsKeptMs });
    const events = await dueOf(store, book, page, nowMs);
    await parts.confirm?.();
    await writeAlertEvents(store, events);
    await handOver(parts.delivery, events);
    for (const event of events) eventsWritten.inc({ notify: event.notify });
    told += events.length;
    if (page.length < PAGE) return told;
    after = page.at(-1)!.alert_key;
  }
}

/** Shortest time after which any notice of the kind is told again; 0 = none is. */
function shortestRepeatMs(kind: (typeof KEY_EVENT_KINDS)[number], book: RuleBook): number {
  const rules = [undefined, ...book.rules.filter((rule) => rule.kind === kind)];
  const times = rules.map((rule) => repeatMsOf(kind, effectiveOf(kind, rule))).filter((ms) => ms > 0);
  return times.length === 0 ? 0 : Math.min(...times);
}

async function dueOf(store: Store, book: RuleBook, page: readonly NoticeRow[], nowMs: number): Promise<AlertEvent[]> {
  if (page.length === 0) return [];
  const known = [
    ...(
      await findStates(
        store,
        page.map((row) => row.alert_key),
      )
    ).values(),
  ];
  const facts = await readKeyFacts(store, [...new Set(known.map((one) => one.keyId))]);
  const silences = await readSilences(store, nowMs, nowMs);
  const evidence = new Map(page.map((row) => [row.alert_key, JSON.parse(row.evidence) as AlertEvidence]));
  const recordedAt = new Date().toISOString();
  return known.flatMap((one) => {
    const its = facts.get(one.keyId) ?? noFacts(one.keyId);
    const event = noticeRepeat(one, {
      facts: its,
      effective: book.for(one.kind, its),
      silencedUntilMs: silencedUntil({ ...its, kind: one.kind }, silences, nowMs),
      nowMs,
      recordedAt,
      evidence: evidence.get(one.alertKey)!,
    });
    return event ? [event] : [];
  });
}
