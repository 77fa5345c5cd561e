import { RecentMap } from '../../../ingest/recent-map.ts';
import type { Store } from '../../clickhouse/store.ts';
import type { KeyEvent } from '../../keys/events.ts';
import { type AlertEvent, alertKeyOf, eventIdOf } from '../alert.ts';
import { findStates, storedEvents, writeAlertEvents } from '../evaluation/event-store.ts';
import { noFacts, readKeyFacts } from '../evaluation/key-facts.ts';
import { eventsWritten } from '../evaluation/metrics.ts';
import { entersNew, Progress } from '../evaluation/progress.ts';
import type { LimitParts } from '../limits/look.ts';
import { handOver } from '../outbox.ts';
import { RuleBook } from '../rules/rule.ts';
import { Rules } from '../rules/rule-store.ts';
import { silencedUntil } from '../silence-matching.ts';
import { readSilences } from '../silence-reader.ts';
import { ALERTING_EVENTS, keyAlertEvent, mappingOf } from './key-alert.ts';

const MINUTE_MS = 60_000;
/** Events are written a moment after their time. */
const OVERLAP_MS = 2 * MINUTE_MS;
/** What a killed writer left out is written late, under its old time: looked for every five minutes. */
const LONG_OVERLAP_MS = 6 * 60 * MINUTE_MS;
const LONG_EVERY_MS = 5 * MINUTE_MS;
/** The first look ever does not tell what happened long ago. */
const FIRST_LOOK_BACK_MS = 60 * MINUTE_MS;
const PAGE = 5_000;
/** Looks overlap: after a policy has changed ten thousand keys, twenty-four looks meet all of their events. */
const REMEMBERED_EVENTS = 100_000;
/** Events whose alerts this process has seen stored; those beyond the limit are asked for again. */
const settled = new WeakMap<Store, RecentMap<string, true>>();

/** Makes alerts of the key events that have none yet, each once. @returns how many were made */
export async function sweepKeyEvents(parts: LimitParts, nowMs: number, read?: Progress): Promise<number> {
  const { store } = parts;
  const progress = read ?? (await Progress.read(store));
  const last = progress.of('key_events') ?? nowMs - FIRST_LOOK_BACK_MS;
  const isLong = entersNew(LONG_EVERY_MS, last, nowMs);
  const overlap = isLong ? LONG_OVERLAP_MS : OVERLAP_MS;
  let made = 0;
  let after = { atMs: Math.min(last, nowMs) - overlap, id: '' };
  for (;;) {
    const page = await eventPage(store, after);
    made += await alertsOf(parts, page);
    if (page.length < PAGE) break;
    after = { atMs: page.at(-1)!.at_ms, id: page.at(-1)!.id };
  }
  await parts.confirm?.();
  await progress.writeAfter(isLong || made > 0, 'key_events', nowMs);
  return made;
}

type EventRow = Omit<KeyEvent, 'data'> & { data: string; at_ms: number };

/** Events in the order of their time; those written after this look are met by the next one. */
async function eventPage(store: Store, after: { atMs: number; id: string }): Promise<EventRow[]> {
  return store.query<EventRow>(
    `SELECT id, at, toUnixTimestamp64Milli(at) AS at_ms, key_id, organization_id, type, data FROM key_events FINAL
     WHERE at >= fromUnixTimestamp64Milli({at:Int64}) AND (toUnixTimestamp64Milli(at), id) > ({at:Int64}, {id:String})
       AND type IN {types:Array(String)}
     ORDER BY at_ms, id LIMIT ${PAGE}`,
    { at: after.atMs, id: after.id, types: ALERTING_EVENTS },
  );
}

function settledIn(store: Store): RecentMap<string, true> {
  const known = settled.get(store) ?? new RecentMap<string, true>(REMEMBERED_EVENTS);
  settled.set(store, known);
  return known;
}

/** An event that is stored again under another time is another one. */
const placeOf = (row: EventRow) => `${row.at_ms} ${row.id}`;

async function alertsOf({ store, delivery, confirm }: LimitParts, page: readonly EventRow[]): Promise<number> {
  const done = settledIn(store);
  const open = page.filter((row) => !done.get(placeOf(row)));
  if (open.length === 0) return 0;
  const named = open.map((row) => {
    const { kind, scope } = mappingOf(row)!;
    const alert_key = alertKeyOf(kind, row.key_id, scope);
    return { row, kind, alert_key, event_id: eventIdOf(alert_key, row.at_ms, row.id) };
  });
  const stored = await storedEvents(store, named);
  for (const { row, event_id } of named) if (stored.has(event_id)) done.set(placeOf(row), true);
  const fresh = named.filter(({ event_id }) => !stored.has(event_id));
  if (fresh.length === 0) return 0;
  const times = fresh.map(({ row }) => row.at_ms);
  const [known, facts, rules, silences] = await Promise.all([
    findStates(store, [...new Set(fresh.map((one) => one.alert_key))]),
    readKeyFacts(store, [...new Set(fresh.map(({ row }) => row.key_id))]),
    new Rules(store).list(),
    readSilences(store, Math.min(...times), Date.now()),
  ]);
  const book = new RuleBook(rules);
  const recordedAt = new Date().toISOString();
  const events: AlertEvent[] = [];
  for (const { row, kind, alert_key } of fresh) {
    const its = facts.get(row.key_id) ?? noFacts(row.key_id);
    const event = keyAlertEvent(
      known.get(alert_key),
      { ...row, data: JSON.parse(row.data) as KeyEvent['data'] },
      {
        facts: its,
        effective: book.for(kind, its),
        silencedUntilMs: silencedUntil({ ...its, kind }, silences, Date.now()),
        recordedAt,
      },
    );
    if (!event) continue;
    events.push(event);
    known.set(alert_key, {
      alertKey: alert_key,
      alertId: event.alert_id,
      kind,
      scope: event.scope,
      keyId: row.key_id,
      state: event.state,
      withheld: event.withheld,
      rowAtMs: row.at_ms,
    });
  }
  await confirm?.();
  await writeAlertEvents(store, events);
  await handOver(delivery, events);
  for (const event of events) eventsWritten.inc({ notify: event.notify || 'nobody' });
  return events.length;
}
