import type { AlertEvent } from '../alert.ts';
import { findStates } from '../evaluation/event-store.ts';
import { silencedUntil } from '../silence-matching.ts';
import { readSilences } from '../silence-reader.ts';
import { type Delivery, readAlertEvents } from './deliveries.ts';
import type { DeliveryParts } from './delivery-parts.ts';
import { relaunch } from './route-events.ts';
import { fateOfHeld } from './step-fates.ts';

/** Lets go what quiet hours held, except what the night has settled: what is over, was acknowledged, or is silenced by now. */
export async function releaseHeld(parts: DeliveryParts, limit: number): Promise<void> {
  const nowMs = Date.now();
  const due = await parts.deliveries.heldUntil(nowMs, limit);
  if (due.length === 0) return;
  const events = await readAlertEvents(parts.store, due);
  // An event that is not read, from a replica that lags, is released by the next turn.
  const held = due.filter((row) => events.has(row.event_id));
  const stepsOf = new Map<string, Delivery[]>();
  for (const row of await parts.deliveries.ofAlerts(distinct(held, 'channel_id'), distinct(held, 'alert_id'))) {
    stepsOf.set(alertIn(row), [...(stepsOf.get(alertIn(row)) ?? []), row]);
  }
  const silences = await readSilences(parts.store, nowMs, nowMs);
  const acknowledged = await acknowledgedAlerts(parts, held);
  const decided = held.map((row): Delivery => {
    const others = (stepsOf.get(alertIn(row)) ?? []).filter((step) => step.delivery_id !== row.delivery_id);
    const event = events.get(row.event_id) as AlertEvent;
    const silenced = silencedUntil(event, silences, nowMs) !== undefined;
    const fate = fateOfHeld(row, others, { silenced, acknowledged: acknowledged.has(row.alert_id) });
    const next = { ...row, next_attempt_at: null, version: row.version + 1 };
    if (fate.fate === 'drop') return { ...next, status: 'dropped', reason: fate.reason };
    return { ...next, status: 'waiting', reason: '' };
  });
  await parts.deliveries.write(decided);
  await relaunch(
    parts,
    decided.filter(({ status }) => status === 'waiting'),
    events,
  );
}

const alertIn = (row: Delivery): string => `${row.channel_id} ${row.alert_id}`;

const distinct = (rows: readonly Delivery[], field: 'channel_id' | 'alert_id' | 'alert_key'): string[] => [
  ...new Set(rows.map((row) => row[field])),
];

/** Openings among those of these rows that somebody has seen and that have not grown worse since. */
async function acknowledgedAlerts({ store }: DeliveryParts, rows: readonly Delivery[]): Promise<Set<string>> {
  const known = await findStates(store, distinct(rows, 'alert_key'));
  return new Set([...known.values()].filter(({ state }) => state.acknowledged).map(({ alertId }) => alertId));
}
