import type { Queue } from 'bullmq';
import type { Store } from '../../clickhouse/store.ts';
import { type AlertEvent, alertKeyOf } from '../alert.ts';
import type { LimitUse } from '../detectors/near-limit.ts';
import { EVALUATION_SETTINGS } from '../evaluation/baselines.ts';
import { isOpen, loadStates, STATE_LOOK_BACK_MS, writeAlertEvents } from '../evaluation/event-store.ts';
import type { KeyFacts } from '../evaluation/key-facts.ts';
import { eventsWritten } from '../evaluation/metrics.ts';
import { readProgress, writeProgress } from '../evaluation/progress.ts';
import { type DeliveryJob, handOver } from '../outbox.ts';
import { RuleBook } from '../rules/rule.ts';
import { Rules } from '../rules/rule-store.ts';
import { silencedUntil } from '../silence-matching.ts';
import { readSilences } from '../silence-reader.ts';
import { limitEvent } from './limit-step.ts';
import { limitUseSql, mayReachLimits, type UseRow } from './limit-use.ts';

export interface LimitParts {
  store: Store;
  delivery: Queue<DeliveryJob>;
}

/** A look covers at most this much missed time: day and month counts hold what came before. */
const MAX_LOOK_BACK_MS = 10 * 60_000;
/** Records arrive a little after their time. */
const OVERLAP_MS = 60_000;
const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
/** A monthly alert stays open for up to a month; its state is found by looking back so far. */
const LIMIT_STATES_MS = Math.max(STATE_LOOK_BACK_MS, 32 * DAY_MS);

/** Looks at the limits of all keys with traffic since the last look, and of those whose alert is open. */
export async function lookAtLimits(
  { store, delivery }: LimitParts,
  nowMs: number,
): Promise<{ looked: number; events: number }> {
  const last = (await readProgress(store, 'limits')) ?? nowMs - MAX_LOOK_BACK_MS;
  const book = new RuleBook(await new Rules(store).list());
  const lowest = Math.min(...book.allSettings('near_limit').flatMap((settings) => settings.steps_percent));
  const known = await loadStates(store, ['near_limit'], nowMs - LIMIT_STATES_MS);
  const open = [...known.values()].filter((one) => isOpen(one.state.phase));
  const rows = await readUse(store, last, nowMs, lowest, [...new Set(open.map((one) => one.keyId))]);
  const silences = rows.length > 0 ? await readSilences(store, nowMs, nowMs) : [];
  const recordedAt = new Date().toISOString();
  const events: AlertEvent[] = [];
  for (const row of rows) {
    const facts: KeyFacts = { ...row, isActive: row.active };
    const alertKey = alertKeyOf('near_limit', row.key_id, row.period);
    const silencedUntilMs = silencedUntil({ ...facts, kind: 'near_limit' }, silences, nowMs);
    const event = limitEvent(known.get(alertKey), useOf(row, nowMs), facts, book.for('near_limit', facts), {
      recordedAt,
      silencedUntilMs,
    });
    if (event) events.push(event);
  }
  await writeAlertEvents(store, events);
  await handOver(delivery, events);
  await writeProgress(store, 'limits', nowMs);
  for (const event of events) eventsWritten.inc({ notify: event.notify || 'nobody' });
  return { looked: rows.length, events: events.length };
}

/** Use of the limits of touched keys, and of those in `open`. */
async function readUse(
  store: Store,
  last: number,
  nowMs: number,
  lowest: number,
  open: readonly string[],
): Promise<UseRow[]> {
  const since = Math.floor(Math.max(Math.min(last, nowMs) - OVERLAP_MS, nowMs - MAX_LOOK_BACK_MS) / 1000);
  if (open.length === 0 && !(await mayReachLimits(store, since))) return [];
  return store.query<UseRow>(
    limitUseSql,
    {
      since,
      minute: Math.floor(nowMs / MINUTE_MS) * 60,
      day: Math.floor(nowMs / DAY_MS) * 86_400,
      month: monthStart(nowMs) / 1000,
      now: Math.ceil(nowMs / 1000),
      lowest,
      open,
    },
    EVALUATION_SETTINGS,
  );
}

const monthStart = (ms: number, later = 0): number =>
  Date.UTC(new Date(ms).getUTCFullYear(), new Date(ms).getUTCMonth() + later);

function useOf({ period, used, limit, window_start }: UseRow, nowMs: number): LimitUse {
  const windowStartMs = window_start * 1000;
  const windowEndMs =
    period === 'month' ? monthStart(nowMs, 1) : windowStartMs + (period === 'day' ? DAY_MS : MINUTE_MS);
  return { period, used, limit, windowStartMs, windowEndMs, nowMs };
}
