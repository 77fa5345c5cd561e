import { traced } from '../../../ingest/tracing.ts';
import type { AlertEvent } from '../alert.ts';
import type { AlertMessage, DeliveryOutcome } from '../channels/channel.ts';
import { arrivedParts } from './arrived-parts.ts';
import { bindMessage, isOpen, type SendJob } from './bind-message.ts';
import { hasRecipient } from './channel-routing.ts';
import { noteOutcome, tellGivenUp } from './channel-trouble.ts';
import { type Channel, openChannel } from './channels.ts';
import { alertMessage, keyEventMessage } from './compose-message.ts';
import { type Delivery, readAlertEvents } from './deliveries.ts';
import { attemptsMade, deliveriesEnded } from './delivery-metrics.ts';
import type { DeliveryParts } from './delivery-parts.ts';
import { deliveryOfKeyEventMessage, messageKindOf } from './grouping.ts';
import { readKeyEvent } from './key-event-deliveries.ts';
import { afterAttempt, RunLater } from './retry-table.ts';
import { keysOf } from './route-events.ts';
import { NOBODY_TO_WRITE_TO } from './standing.ts';

/** A timer that is a little early is right on time. */
const EARLY_MS = 20;

/**
 * One attempt at a message. Rows change only after the receiver confirmed; a crash before that makes the next attempt send the
 * same message under the same id.
 * @throws {RunLater} when it is to be tried again
 */
export async function sendMessage(parts: DeliveryParts, job: SendJob): Promise<void> {
  const busyMs = parts.slots.take(job.channel_id);
  if (busyMs > 0) throw new RunLater(busyMs, 'the channel has enough under way');
  try {
    await attempt(parts, job);
  } finally {
    parts.slots.release(job.channel_id);
  }
}

async function attempt(parts: DeliveryParts, job: SendJob): Promise<void> {
  const joined =
    messageKindOf(job.message_id) === 'evt'
      ? [deliveryOfKeyEventMessage(job.message_id)]
      : await parts.groups.close(job.message_id);
  const present = await parts.deliveries.ofMessage(job.channel_id, job.message_id, joined);
  if (!present.some(isOpen)) return;
  const events = await readAlertEvents(parts.store, present);
  const rows = (await bindMessage(parts, job, present, events)).filter(isOpen);
  if (rows.length === 0) return;
  const dueMs = Math.max(...rows.map((row) => (row.next_attempt_at ? Date.parse(row.next_attempt_at) : 0)));
  if (dueMs > Date.now() + EARLY_MS) throw new RunLater(dueMs - Date.now(), 'not due yet');
  const channel = await parts.channels.findRecent(job.channel_id);
  if (!channel?.enabled) {
    return settle(parts, channel, rows, { result: 'failed', responseStatus: 0, detail: 'the channel is off' });
  }
  const keys = await keysOf(
    parts,
    rows.map((row) => row.key_id),
  );
  const reached = await dropUnreachable(parts, channel, rows, keys);
  if (reached.length === 0) return;
  const waitMs = await parts.slots.turn(channel.channel_id, channel.type);
  if (waitMs > 0) throw new RunLater(waitMs, 'channel takes one message at a time');
  const message = await messageOf(parts, channel, reached, { events, keys }, job.message_id);
  await settle(parts, channel, reached, await send(parts, channel, message));
}

type Keys = Awaited<ReturnType<typeof keysOf>>;

/** What nobody can be written about any more, the owner of its key having gone or left, is no failure of the channel. */
async function dropUnreachable(
  parts: DeliveryParts,
  channel: Channel,
  rows: readonly Delivery[],
  keys: Keys,
): Promise<Delivery[]> {
  const isReached = (row: Delivery): boolean => hasRecipient(channel, keys.get(row.key_id));
  await parts.deliveries.write(
    rows
      .filter((row) => !isReached(row))
      .map((row) => ({
        ...row,
        status: 'dropped',
        reason: NOBODY_TO_WRITE_TO,
        next_attempt_at: null,
        version: row.version + 1,
      })),
  );
  return rows.filter(isReached);
}

async function send(
  parts: DeliveryParts,
  channel: Channel,
  message: AlertMessage | undefined,
): Promise<DeliveryOutcome> {
  if (!message) return { result: 'retry', responseStatus: 0, detail: 'what it is about is not in the store' };
  try {
    const open = openChannel(channel, parts.box, Date.now());
    const arrived = await arrivedParts(parts.redis, message.messageId);
    const attributes = { 'keytally.channel_type': channel.type, 'messaging.message.id': message.messageId };
    return await traced(`send ${channel.type}`, { kind: 'CLIENT', attributes }, async (note) => {
      const outcome = await parts.sender.send(open, message, arrived);
      note({ 'keytally.outcome': outcome.result, 'http.response.status_code': outcome.responseStatus });
      return outcome;
    });
  } catch (error) {
    parts.log.error({ err: error, channel_id: channel.channel_id }, 'could not send');
    return { result: 'retry', responseStatus: 0, detail: 'could not send, see the log' };
  }
}

async function messageOf(
  parts: DeliveryParts,
  channel: Channel,
  rows: readonly Delivery[],
  { events, keys }: { events: ReadonlyMap<string, AlertEvent>; keys: Keys },
  messageId: string,
): Promise<AlertMessage | undefined> {
  if (messageKindOf(messageId) === 'evt') {
    const event = await readKeyEvent(parts.store, rows[0]!.key_id, rows[0]!.event_id);
    return event && keyEventMessage(messageId, event, keys.get(event.key_id));
  }
  return events.size === 0 ? undefined : alertMessage(messageId, channel, rows, events, keys);
}

/** Writes down what became of an attempt, and what follows for the channel. @throws {RunLater} for the next attempt */
async function settle(
  parts: DeliveryParts,
  channel: Channel | undefined,
  rows: readonly Delivery[],
  outcome: DeliveryOutcome,
): Promise<void> {
  const nowMs = Date.now();
  const attempts = Math.max(...rows.map((row) => row.attempts)) + 1;
  const { retryTableMs: tableMs, random } = parts.settings;
  const next = afterAttempt(outcome, attempts, { tableMs, random });
  const type = channel?.type ?? 'removed';
  attemptsMade.inc({ type, outcome: outcome.result });
  if (channel?.enabled && next.status === 'failed' && next.channel === undefined)
    await tellGivenUp(parts, channel, { attempts, notices: rows.length, reason: next.reason });
  await parts.deliveries.write(
    rows.map((row) => ({
      ...row,
      attempts,
      status: next.status,
      reason: next.status === 'sent' ? (outcome.detail ?? '') : next.reason,
      response_status: outcome.responseStatus,
      next_attempt_at: next.status === 'retrying' ? new Date(nowMs + next.waitMs).toISOString() : null,
      sent_at: next.status === 'sent' ? new Date(nowMs).toISOString() : null,
      version: row.version + 1,
    })),
  );
  if (next.status !== 'retrying') deliveriesEnded.inc({ type, status: next.status }, rows.length);
  if (channel) {
    parts.slots.noteOutcome(channel.channel_id, next.status === 'sent');
    await noteOutcome(parts, channel, next, attempts);
  }
  if (next.status === 'retrying') throw new RunLater(next.waitMs, next.reason);
}
