import { setTimeout as sleep } from 'node:timers/promises';
import type { Store } from '../../clickhouse/store.ts';
import type { AlertEvent } from '../alert.ts';
import type { NotifyReason } from '../state.ts';
import type { HeardOpening } from './standing.ts';

export const DELIVERY_STATUSES = ['waiting', 'retrying', 'sent', 'failed', 'digest', 'held', 'dropped'] as const;
export type DeliveryStatus = (typeof DELIVERY_STATUSES)[number];

/** A row of `deliveries`: one event in one channel. Times are RFC 3339. */
export interface Delivery {
  delivery_id: string;
  event_id: string;
  alert_key: string;
  alert_id: string;
  /** '' = no channel hears the event. */
  channel_id: string;
  organization_id: string;
  key_id: string;
  kind: string;
  /**
   * `resolved` for every end of an alert, also for one that people are told as flapping; `opened` for the first that the channel
   * hears of an alert. '' = an acknowledgement, or a change of a key.
   */
  notify: NotifyReason | '';
  /** '' until its group is closed. */
  message_id: string;
  thread_id: string;
  status: DeliveryStatus;
  reason: string;
  attempts: number;
  response_status: number;
  event_at: string;
  created_at: string;
  next_attempt_at: string | null;
  sent_at: string | null;
  /** 1 when routed, one more with each change: the change that was written last counts. */
  version: number;
}

/** An older delivery is not looked for: the relay looks back three days, the retry table ends after three more. */
const LOOK_BACK_DAYS = 8;
const RECENT = `created_at > now() - INTERVAL ${LOOK_BACK_DAYS} DAY`;

const UNDER_WAY_OR_SENT = "('waiting', 'retrying', 'sent')";

/** Alerts asked for in one statement. */
const ALERTS_CHUNK = 1_000;

/** A row by itself costs the store as much as a hundred. */
const GATHER_MS = 10;

/** The table of deliveries. Reads see what this process wrote before. */
export class Deliveries {
  readonly #store: Store;
  #gathered: Delivery[] = [];
  #next: Promise<void> | undefined;

  constructor(store: Store) {
    this.#store = store;
  }

  /** Writes rows; each replaces its version before. What many jobs write at the same moment is one insert. */
  async write(rows: readonly Delivery[]): Promise<void> {
    if (rows.length === 0) return;
    this.#gathered.push(...rows);
    this.#next ??= this.#flush();
    await this.#next;
  }

  async #flush(): Promise<void> {
    await sleep(GATHER_MS);
    const rows = this.#gathered;
    this.#gathered = [];
    this.#next = undefined;
    await this.#store.insertRows('deliveries', rows);
  }

  async ofEvents(eventIds: readonly string[]): Promise<Delivery[]> {
    if (eventIds.length === 0) return [];
    return this.#store.queryWriter<Delivery>(
      `SELECT * FROM deliveries FINAL WHERE event_id IN {event_ids:Array(String)} AND ${RECENT}`,
      { event_ids: eventIds },
    );
  }

  /**
   * Rows of a message.
   * @param joined ids of its members as far as they are known, which spares reading all of the channel; none = not known
   */
  async ofMessage(channelId: string, messageId: string, joined: readonly string[]): Promise<Delivery[]> {
    return this.#store.queryWriter<Delivery>(
      `SELECT * FROM deliveries FINAL
       WHERE channel_id = {channel_id:String}
         AND ${joined.length > 0 ? "delivery_id IN {joined:Array(String)} AND message_id IN ('', {message_id:String})" : 'message_id = {message_id:String}'}
       ORDER BY delivery_id`,
      { channel_id: channelId, message_id: messageId, joined },
    );
  }

  /** What became of the opening of an alert in each of the channels. */
  async openingsOf(alertId: string): Promise<Map<string, HeardOpening>> {
    const rows = await this.#store.queryWriter<{ channel_id: string; opening: HeardOpening }>(
      `SELECT channel_id, multiIf(countIf(status IN ${UNDER_WAY_OR_SENT}) > 0, 'told', countIf(status = 'held') > 0, 'held', 'digest') AS opening
       FROM deliveries FINAL
       WHERE alert_id = {alert_id:String} AND notify NOT IN ('', 'resolved')
         AND (status IN ${UNDER_WAY_OR_SENT} OR status IN ('held', 'digest'))
       GROUP BY channel_id`,
      { alert_id: alertId },
    );
    return new Map(rows.map((row) => [row.channel_id, row.opening]));
  }

  /** All deliveries of these alerts in these channels, oldest first. */
  async ofAlerts(channelIds: readonly string[], alertIds: readonly string[]): Promise<Delivery[]> {
    const rows: Delivery[] = [];
    for (let at = 0; at < alertIds.length; at += ALERTS_CHUNK) {
      const chunk = await this.#store.queryWriter<Delivery>(
        `SELECT * FROM deliveries FINAL
         WHERE channel_id IN {channel_ids:Array(String)} AND alert_id IN {alert_ids:Array(String)} AND alert_id != ''
         ORDER BY created_at, delivery_id`,
        { channel_ids: channelIds, alert_ids: alertIds.slice(at, at + ALERTS_CHUNK) },
      );
      rows.push(...chunk);
    }
    return rows;
  }

  /** Deliveries that wait, oldest first: of groups that nobody closed, or of messages. */
  async waiting(createdBeforeMs: number, limit: number): Promise<Delivery[]> {
    return this.#store.queryWriter<Delivery>(
      `SELECT * FROM deliveries FINAL
       WHERE status IN ('waiting', 'retrying') AND created_at < fromUnixTimestamp64Milli({before:Int64}) AND ${RECENT}
       ORDER BY created_at, delivery_id LIMIT {limit:UInt32}`,
      { before: createdBeforeMs, limit },
    );
  }

  /** Deliveries whose quiet hours have ended. */
  async heldUntil(nowMs: number, limit: number): Promise<Delivery[]> {
    return this.#store.queryWriter<Delivery>(
      `SELECT * FROM deliveries FINAL
       WHERE status = 'held' AND next_attempt_at <= fromUnixTimestamp64Milli({now:Int64}) AND ${RECENT}
       ORDER BY created_at, delivery_id LIMIT {limit:UInt32}`,
      { now: nowMs, limit },
    );
  }

  /** Deliveries that wait for the digest of a channel, made before a time. */
  async forDigest(channelId: string, beforeMs: number): Promise<Delivery[]> {
    return this.#store.queryWriter<Delivery>(
      `SELECT * FROM deliveries FINAL
       WHERE channel_id = {channel_id:String} AND status = 'digest' AND created_at < fromUnixTimestamp64Milli({before:Int64})
       ORDER BY created_at, delivery_id LIMIT ${MAX_DIGEST_ROWS}`,
      { channel_id: channelId, before: beforeMs },
    );
  }

  /** Channels for which something waits for the digest. */
  async digestChannels(): Promise<Set<string>> {
    const rows = await this.#store.queryWriter<{ channel_id: string }>(
      "SELECT DISTINCT channel_id FROM deliveries FINAL WHERE status = 'digest'",
    );
    return new Set(rows.map((row) => row.channel_id));
  }

  /** Those of these messages that something travels in. */
  async knownMessages(channelId: string, messageIds: readonly string[]): Promise<Set<string>> {
    const rows = await this.#store.queryWriter<{ message_id: string }>(
      `SELECT DISTINCT message_id FROM deliveries
       WHERE channel_id = {channel_id:String} AND message_id IN {message_ids:Array(String)}`,
      { channel_id: channelId, message_ids: messageIds },
    );
    return new Set(rows.map((row) => row.message_id));
  }

  /** How much waits, for the metrics. */
  async backlog(): Promise<{ oldest_seconds: number; digest: number }> {
    const [row] = await this.#store.queryWriter<{ oldest_seconds: number; digest: number }>(
      `SELECT greatest(0, toFloat64(now() - toDateTime(minIf(created_at, status IN ('waiting', 'retrying'))))) AS oldest_seconds,
              countIf(status IN ('waiting', 'retrying')) AS waiting, countIf(status = 'digest') AS digest
       FROM deliveries FINAL WHERE ${RECENT}`,
    );
    const { waiting, ...rest } = row as unknown as { waiting: number; oldest_seconds: number; digest: number };
    return { ...rest, oldest_seconds: waiting === 0 ? 0 : rest.oldest_seconds };
  }
}

/** Alerts that one digest counts at most; more stay for the next day. */
const MAX_DIGEST_ROWS = 5_000;

type EventRow = Omit<AlertEvent, 'evidence' | 'state'> & { evidence: string; state: string };

/** Stored events, by id. */
export async function readAlertEvents(
  store: Store,
  refs: readonly { event_id: string; alert_key: string }[],
): Promise<Map<string, AlertEvent>> {
  const alerts = refs.filter((ref) => ref.alert_key !== '');
  if (alerts.length === 0) return new Map();
  const rows = await store.queryWriter<EventRow>(
    `SELECT * FROM alert_events FINAL
     WHERE alert_key IN {alert_keys:Array(String)} AND event_id IN {event_ids:Array(String)}`,
    { alert_keys: [...new Set(alerts.map((ref) => ref.alert_key))], event_ids: alerts.map((ref) => ref.event_id) },
  );
  return new Map(rows.map((row) => [row.event_id, parsedEvent(row)]));
}

/** Events of one opening that people are to be told of and that nobody routed yet, oldest first. */
export async function unroutedOfAlert(store: Store, alertKey: string, alertId: string): Promise<AlertEvent[]> {
  const rows = await store.queryWriter<EventRow>(
    `SELECT * FROM alert_events FINAL
     WHERE alert_key = {alert_key:String} AND alert_id = {alert_id:String} AND notify != ''
       AND transition != 'resolved' AND (phase != 'resolved' OR transition = 'opened')
       AND event_id NOT IN (SELECT event_id FROM deliveries WHERE alert_id = {alert_id:String})
     ORDER BY at LIMIT 100`,
    { alert_key: alertKey, alert_id: alertId },
  );
  return rows.map(parsedEvent);
}

/** Events of the last three days that people or incidents are to be told of and that nobody routed, oldest first. */
export async function unroutedEvents(store: Store, recordedBeforeMs: number, limit: number): Promise<AlertEvent[]> {
  const rows = await store.queryWriter<EventRow>(
    `SELECT * FROM alert_events FINAL
     WHERE (notify != '' OR (transition = 'acknowledged' AND phase != 'resolved')) AND at > now() - INTERVAL 3 DAY AND recorded_at < fromUnixTimestamp64Milli({before:Int64})
       AND event_id NOT IN (SELECT event_id FROM deliveries WHERE ${RECENT})
     ORDER BY at, event_id LIMIT {limit:UInt32}`,
    { before: recordedBeforeMs, limit },
  );
  return rows.map(parsedEvent);
}

function parsedEvent(row: EventRow): AlertEvent {
  return { ...row, evidence: JSON.parse(row.evidence || '{}'), state: JSON.parse(row.state || '{}') };
}
