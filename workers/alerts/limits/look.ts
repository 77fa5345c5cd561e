import type { Queue } from 'bullmq';
import type { Store } from '../../clickhouse/store.ts';
import { type AlertEvent, alertKeyOf } from '../alert.ts';
import type { LimitUse } from '../detectors/near-limit.ts';
import { EVALUATION_SETTINGS } from '../evaluation/baselines.ts';
import {
  type KnownAlert,
  knownAfter,
  loadStates,
  STATE_LOOK_BACK_MS,
  writeAlertEvents,
} from '../evaluation/event-store.ts';
import type { KeyFacts } from '../evaluation/key-facts.ts';
import { eventsWritten } from '../evaluation/metrics.ts';
import { Progress } from '../evaluation/progress.ts';
import { type DeliveryJob, handOver } from '../outbox.ts';
import { RuleBook } from '../rules/rule.ts';
import { Rules } from '../rules/rule-store.ts';
import { silencedUntil } from '../silence-matching.ts';
import { readSilences } from '../silence-reader.ts';
import { isOpen } from '../state.ts';
import { limitEvent } from './limit-step.ts';
import { anyLimit, limitUseSql, oldestCountedSql, type UseRow } from './limit-use.ts';
import { type LookSpan, lookSpans } from './look-spans.ts';

export interface LimitParts {
  store: Store;
  delivery: Queue<DeliveryJob>;
  /** Steps of alerts that are older go, some sooner than others: what they say together is not believed any more. */
  alertsKeptMs: number;
  /** Asked before steps are written. @throws {TakenOver} when another process does this by now */
  confirm?: () => Promise<void>;
}

/** A look covers at most this much missed time: `traffic_seconds` holds no more. */
const MAX_LOOK_BACK_MS = 60 * 60_000;
/** An insert becomes visible a little after the time it writes down. */
const OVERLAP_MS = 60_000;
const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
/** A monthly alert stays open for up to a month; its state is found by looking back so far. */
const LIMIT_STATES_MS = Math.max(STATE_LOOK_BACK_MS, 32 * DAY_MS);

/** What one look goes by. */
interface Look {
  store: Store;
  book: RuleBook;
  /** Alerts about limits, by alert key; advanced in place by what is returned. */
  known: Map<string, KnownAlert>;
  /** Keys are touched when something of them was counted since then; epoch seconds. */
  since: number;
  nowMs: number;
  recordedAt: string;
}

/** Looks at the limits of all keys of which something was counted since the last look, and of those whose alert is open. */
export async function lookAtLimits(
  { store, delivery, confirm }: LimitParts,
  nowMs: number,
  read?: Progress,
): Promise<{ looked: number; events: number }> {
  const progress = read ?? (await Progress.read(store));
  const last = progress.of('limits') ?? nowMs - MAX_LOOK_BACK_MS;
  const since = Math.floor(Math.max(Math.min(last, nowMs) - OVERLAP_MS, nowMs - MAX_LOOK_BACK_MS) / 1000);
  const look: Look = {
    store,
    book: new RuleBook(await new Rules(store).list()),
    known: await loadStates(store, ['near_limit'], nowMs - LIMIT_STATES_MS),
    since,
    nowMs,
    recordedAt: new Date().toISOString(),
  };
  const [counted] = await store.query<{ oldest: number }>(oldestCountedSql, { since }, EVALUATION_SETTINGS);
  const events: AlertEvent[] = [];
  let looked = 0;
  const spans = (await mayTell(look, counted!.oldest)) ? lookSpans(counted!.oldest, Math.floor(nowMs / 1000)) : [];
  for (const span of spans) {
    const rows = await readUse(look, span);
    looked += rows.length;
    events.push(...(await judgeUse(look, span, rows)));
  }
  await confirm?.();
  await writeAlertEvents(store, events);
  await handOver(delivery, events);
  await progress.writeAfter(looked > 0, 'limits', nowMs);
  for (const event of events) eventsWritten.inc({ notify: event.notify || 'nobody' });
  return { looked, events: events.length };
}

/** Whether this look can find anything: an alert is open, or something was counted and anybody has a limit. */
async function mayTell({ store, known }: Look, oldestCounted: number): Promise<boolean> {
  if ([...known.values()].some(({ state }) => isOpen(state.phase))) return true;
  return oldestCounted > 0 && (await anyLimit(store));
}

function readUse({ store, book, known, since }: Look, span: LookSpan): Promise<UseRow[]> {
  const lowest = Math.min(...book.allSettings('near_limit').flatMap((settings) => settings.steps_percent));
  const open = span.isLate ? [] : [...known.values()].filter((one) => isOpen(one.state.phase));
  const { from, to, day, month } = span;
  return store.query<UseRow>(
    limitUseSql,
    // Records of the near future count as present.
    {
      since,
      touched_to: span.isLate ? to : to + 3_600,
      from,
      to,
      day,
      month,
      lowest,
      open: [...new Set(open.map((one) => one.keyId))],
    },
    EVALUATION_SETTINGS,
  );
}

async function judgeUse(look: Look, span: LookSpan, rows: readonly UseRow[]): Promise<AlertEvent[]> {
  const { store, book, known, nowMs, recordedAt } = look;
  const silences = rows.length > 0 ? await readSilences(store, nowMs, nowMs) : [];
  const events: AlertEvent[] = [];
  for (const row of rows) {
    const facts: KeyFacts = { ...row, isActive: row.active };
    const alertKey = alertKeyOf('near_limit', row.key_id, row.period);
    const silencedUntilMs = silencedUntil({ ...facts, kind: 'near_limit' }, silences, nowMs);
    const use = useOf(row, span, nowMs);
    const event = limitEvent(known.get(alertKey), use, facts, book.for('near_limit', facts), {
      recordedAt,
      silencedUntilMs,
      isLate: span.isLate,
    });
    if (!event) continue;
    events.push(event);
    known.set(alertKey, knownAfter(event));
  }
  return events;
}

const monthAfter = (seconds: number): number =>
  Date.UTC(new Date(seconds * 1000).getUTCFullYear(), new Date(seconds * 1000).getUTCMonth() + 1);

function useOf({ period, used, limit, window_start }: UseRow, { month }: LookSpan, nowMs: number): LimitUse {
  const windowStartMs = window_start * 1000;
  const windowEndMs = period === 'month' ? monthAfter(month) : windowStartMs + (period === 'day' ? DAY_MS : MINUTE_MS);
  return { period, used, limit, windowStartMs, windowEndMs, nowMs };
}
