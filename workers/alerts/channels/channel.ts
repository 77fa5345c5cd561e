import type { AlertEvent } from '../alert.ts';
import type { NotifyReason } from '../state.ts';

export const CHANNEL_TYPES = ['email', 'webhook', 'slack', 'pagerduty', 'teams', 'discord'] as const;
export type ChannelType = (typeof CHANNEL_TYPES)[number];

/** A channel ready for sending, its secrets opened. Never logged, never answered by the API. */
export interface OpenChannel {
  channel_id: string;
  organization_id: string;
  name: string;
  type: ChannelType;
  settings: Readonly<Record<string, unknown>>;
  /** webhook: `signing` (newest first, at most two); slack, teams, discord: `url`; pagerduty: `routing_key`. */
  secrets: Readonly<Record<string, string | readonly string[]>>;
}

/** The key an alert is about, as people know it. */
export interface NoticeKey {
  key_id: string;
  name: string;
  /** First characters of the key. */
  prefix: string;
  organization_id: string;
  environment: string;
  owner_name: string;
  owner_email: string;
}

export interface AlertNotice {
  event: AlertEvent;
  /** Why the channel is told of it; '' = that somebody acknowledged it. */
  reason: NotifyReason | '';
  /** When this opening was found, at the end of its window, RFC 3339. */
  openedAt: string;
  /** Since when holds what it tells of, RFC 3339: the start of that window. */
  since: string;
  key: NoticeKey | null;
}

/** What an owner is written of a message: nothing but what concerns keys of theirs. */
export type OwnerPart = { email: string } & Pick<AlertMessage, 'reason' | 'notices' | 'omitted'>;

/** One message to one channel. Rendering it is a pure function of this and of the links. */
export interface AlertMessage {
  /** The same for every attempt: webhook-id, local part of Message-ID. Letters, digits, '-' and '_' only. */
  messageId: string;
  reason: NotifyReason | 'digest' | 'test' | 'key_event';
  /** At least one, the strongest first; more than one when they were gathered. Empty for a test. */
  notices: readonly AlertNotice[];
  /**
   * Messages of one opening share a thread: mail References, PagerDuty dedup_key. For a message about one opening it is that
   * opening's alert_id; then an incident that was opened in company is still found when it resolves alone.
   */
  threadId: string;
  /** Recipients of an e-mail beyond the channel's own: the present owners of the keys, each with their part. */
  owners: readonly OwnerPart[];
  /** A change of a key for the platform that owns it; `reason` is key_event. */
  keyEvent?: { type: string; at: string; data: Readonly<Record<string, unknown>>; key?: NoticeKey | null };
  /** Of a digest: what was left out because of its limit. */
  omitted: number;
}

/**
 * Parts of a message that have arrived: addresses of an e-mail, alerts of a group sent to PagerDuty. Hand over what earlier
 * attempts reported, and a retry sends only what is missing. `onDelivered` is called (and awaited) right after each part
 * was accepted, so that a process killed between two of them repeats at most one; keep the names with the job.
 */
export interface DeliveryProgress {
  delivered: ReadonlySet<string>;
  onDelivered?(part: string): Promise<void> | void;
}

/**
 * What became of one attempt. `detail` never holds text of the receiver's answer.
 * `sent` with a `detail` reached somebody and can reach nobody else: the detail names whom it could not reach and why.
 */
export type DeliveryOutcome =
  | { result: 'sent'; responseStatus: number; detail?: string }
  /** Try again, not before `afterMs` when the receiver named a time. */
  | { result: 'retry'; responseStatus: number; detail: string; afterMs?: number }
  /** No attempt can succeed. */
  | { result: 'failed'; responseStatus: number; detail: string }
  /** The receiver does not want this channel any more (410): switch it off. */
  | { result: 'disable'; responseStatus: number; detail: string }
  /** Nothing to send with, such as no SMTP_URL. */
  | { result: 'not_configured'; responseStatus: 0; detail: string };

export interface ChannelSender {
  /** Never rejects: every failure is an outcome. */
  send(channel: OpenChannel, message: AlertMessage, progress?: DeliveryProgress): Promise<DeliveryOutcome>;
  close(): Promise<void>;
}
