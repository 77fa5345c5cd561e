import type { AlertEvent } from '../alert.ts';
import { scheduleSends } from '../outbox.ts';
import type { Delivery } from './deliveries.ts';
import type { DeliveryParts } from './delivery-parts.ts';
import { apartMessageIdOf, type Member, messageKindOf, strongestFirst } from './grouping.ts';
import { RunLater } from './retry-table.ts';
import { type Fate, fatesOf, isNewsStep } from './step-fates.ts';

export interface SendJob {
  message_id: string;
  channel_id: string;
}

/** An end that waits looks again so soon after its opening was due. */
const LOOK_AFTER_MS = 500;
const MAX_LOOK_MS = 10 * 60_000;

export const isOpen = ({ status }: Delivery): boolean => status === 'waiting' || status === 'retrying';
/** What follows an opening is looked at again until it was tried: the opening may be sent once more meanwhile. */
const isUndecided = (row: Delivery): boolean =>
  isOpen(row) && row.attempts === 0 && (row.message_id === '' || !isNewsStep(row));

/**
 * Writes down which deliveries travel in a message that was closed, before anything leaves. From here on it is the same message,
 * also for a process that knows nothing but the table. A delivery is only ever decided on by the job of its own message, so that
 * two jobs never decide about one row at a time.
 * @throws {RunLater} when the message is an end whose opening is still under way
 */
export async function bindMessage(
  parts: DeliveryParts,
  { message_id, channel_id }: SendJob,
  rows: readonly Delivery[],
  events: ReadonlyMap<string, AlertEvent>,
): Promise<Delivery[]> {
  // A digest lists openings and ends side by side.
  const fresh = messageKindOf(message_id) === 'msg' ? rows.filter(isUndecided) : [];
  if (fresh.length === 0) return [...rows];
  const others = await othersOf(parts, { message_id, channel_id }, fresh);
  const fates = fatesOf(fresh, others);
  const bound = fresh.filter((row) => row.message_id !== '');
  const untilMs = bound.flatMap((row) => waitOf(fates.get(row.delivery_id)));
  if (untilMs.length > 0) throw new RunLater(lookInMs(Math.max(...untilMs)), 'its opening is still under way');
  const told = fresh.filter((row) => fates.get(row.delivery_id)?.fate === 'tell');
  const threadId = rows.find((row) => row.thread_id !== '')?.thread_id ?? threadOf(told, events, others);
  const changed = new Map(
    fresh.flatMap((row): [string, Delivery][] => {
      const next = boundRow(row, fates.get(row.delivery_id)!, { message_id, thread_id: threadId });
      return next ? [[row.delivery_id, next]] : [];
    }),
  );
  await parts.deliveries.write([...changed.values()]);
  const all = rows.map((row) => changed.get(row.delivery_id) ?? row);
  const apart = all.filter((row) => row.message_id !== message_id && row.status === 'waiting');
  await scheduleSends(
    parts.queue,
    apart.map(({ message_id: messageId }) => ({ messageId, channelId: channel_id, dueMs: Date.now() + LOOK_AFTER_MS })),
  );
  return all.filter((row) => !apart.includes(row));
}

/** Other steps of the same alerts in the channel. What travels in this very message is as good as told. */
async function othersOf(
  parts: DeliveryParts,
  { message_id, channel_id }: SendJob,
  fresh: readonly Delivery[],
): Promise<Delivery[]> {
  const ids = new Set(fresh.map((row) => row.delivery_id));
  const related = await parts.deliveries.ofAlerts([channel_id], [...new Set(fresh.map((row) => row.alert_id))]);
  return related
    .filter((row) => !ids.has(row.delivery_id))
    .map((row) => (row.message_id === message_id && isOpen(row) ? { ...row, status: 'sent' } : row));
}

const waitOf = (fate: Fate | undefined): number[] => (fate?.fate === 'later' ? [fate.untilMs] : []);

const lookInMs = (dueMs: number): number => Math.min(MAX_LOOK_MS, Math.max(0, dueMs - Date.now()) + LOOK_AFTER_MS);

/** The row with what was decided; undefined when it stays as it is. */
function boundRow(row: Delivery, fate: Fate, message: { message_id: string; thread_id: string }): Delivery | undefined {
  const next = { ...row, version: row.version + 1 };
  if (fate.fate === 'drop') {
    const message_id = fate.pairedWith ?? (row.message_id || message.message_id);
    return { ...next, message_id, status: 'dropped', reason: fate.reason };
  }
  if (row.message_id !== '') return row.thread_id === '' ? { ...next, thread_id: message.thread_id } : undefined;
  // It would hold up the others of its group, or arrive before what it ends.
  if (fate.fate === 'later') return { ...next, message_id: apartMessageIdOf(row.delivery_id) };
  return { ...next, ...message };
}

/** The thread of the strongest alert: the one that an earlier message of it began, or its own. */
function threadOf(
  told: readonly Delivery[],
  events: ReadonlyMap<string, AlertEvent>,
  others: readonly Delivery[],
): string {
  const members = told.flatMap(({ delivery_id, event_id, notify }): Member[] => {
    const event = events.get(event_id);
    return event ? [{ delivery_id, event, notify }] : [];
  });
  const first = strongestFirst(members)[0]?.event;
  if (!first) return '';
  const earlier = others.find((row) => row.alert_id === first.alert_id && row.thread_id !== '');
  return earlier?.thread_id ?? first.alert_id;
}
