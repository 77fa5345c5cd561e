import type { KeyEventType } from '../../keys/events.ts';
import type { RegisteredKey } from '../../keys/key.ts';
import type { AlertEvent, AlertKind } from '../alert.ts';
import type { ChannelType } from '../channels/channel.ts';
import type { Severity } from '../state.ts';
import { scopeOfChannel } from './channel-notice.ts';

/** What a channel hears. Absent lists hold everything. */
export interface Routing {
  /** Of a channel of the platform: only these organizations. */
  organizations?: readonly string[];
  kinds?: readonly AlertKind[];
  min_severity?: Severity;
  environments?: readonly string[];
  key_ids?: readonly string[];
  /** E-mail: the owner of the key hears of it, too. */
  to_owner?: boolean;
  /** Of a channel for key events: only these. */
  event_types?: readonly KeyEventType[];
  /** IANA name; the day of budgets and digest and the clock of the quiet hours. Default UTC. */
  timezone?: string;
  quiet_hours?: QuietHours;
  /** Hour of the day, 0..23, at which the digest is sent; default DIGEST_HOUR. */
  digest_hour?: number;
}

/** A time of day at which only critical alerts are told. It may pass midnight. */
export interface QuietHours {
  /** `22:00` */
  from: string;
  /** `07:00` */
  to: string;
  /** ISO weekdays on which it begins, 1 = Monday; absent = every day. */
  weekdays?: readonly number[];
}

/** What routing is decided on. */
export interface RoutedChannel {
  channel_id: string;
  organization_id: string;
  type: ChannelType;
  purpose: 'alerts' | 'key_events';
  enabled: boolean;
  routing: Routing;
  settings: Readonly<Record<string, unknown>>;
}

/** Kinds that come from the registry: heard by default whatever their severity. */
const REGISTRY_KINDS: ReadonlySet<AlertKind> = new Set([
  'key_expiring',
  'key_expired',
  'key_deactivated',
  'key_unused',
  'rotation_due',
  'key_leaked',
]);

const RANK: Record<Severity, number> = { info: 0, warning: 1, critical: 2 };
const allows = <Value>(list: readonly Value[] | undefined, value: Value): boolean =>
  list === undefined || list.length === 0 || list.includes(value);

type RoutedEvent = Pick<AlertEvent, 'kind' | 'scope' | 'severity' | 'organization_id' | 'environment' | 'key_id'>;

/**
 * The channels that hear of an event. A channel of an organization hears of that organization only. Without a stated severity:
 * warnings and above, and everything from the registry.
 * @param openings of an end: channels that heard of its opening hear of it, however their routing was changed since then
 */
export function channelsFor<Channel extends RoutedChannel>(
  event: RoutedEvent,
  channels: readonly Channel[],
  openings: { has(channelId: string): boolean } = NO_OPENINGS,
): Channel[] {
  return channels.filter(
    (channel) =>
      channel.enabled &&
      channel.purpose === 'alerts' &&
      event.scope !== scopeOfChannel(channel.channel_id) &&
      hearsOrganization(channel, event.organization_id) &&
      (openings.has(channel.channel_id) ||
        (allows(channel.routing.kinds, event.kind) &&
          allows(channel.routing.environments, event.environment) &&
          allows(channel.routing.key_ids, event.key_id) &&
          isLoudEnough(channel.routing, event))),
  );
}

const NO_OPENINGS: ReadonlySet<string> = new Set();

/** As an alert that stands for many keys is routed. */
const PLATFORM_ALERT: RoutedEvent = {
  kind: 'platform',
  scope: '',
  severity: 'critical',
  organization_id: '',
  environment: '',
  key_id: '',
};

/** Tells of an alert whether a channel hears it that does not hear the platform's: one of an organization, for one. */
export function missesPlatformAlert(channels: readonly RoutedChannel[]): (event: RoutedEvent) => boolean {
  const hearing = new Set(channelsFor(PLATFORM_ALERT, channels));
  const others = channels.filter((channel) => !hearing.has(channel));
  return (event) => channelsFor(event, others).length > 0;
}

/** The channels among those that heard of an opening that are told when somebody has seen it: incidents stop escalating then. */
export const acknowledgedIn = <Channel extends RoutedChannel>(channels: readonly Channel[]): Channel[] =>
  channels.filter(({ type }) => type === 'pagerduty');

/** The channels for key events that are told of one. */
export function keyEventChannelsFor<Channel extends RoutedChannel>(
  event: { organization_id: string; type: KeyEventType; key_id: string },
  channels: readonly Channel[],
): Channel[] {
  return channels.filter(
    (channel) =>
      channel.enabled &&
      channel.purpose === 'key_events' &&
      hearsOrganization(channel, event.organization_id) &&
      allows(channel.routing.event_types, event.type) &&
      allows(channel.routing.key_ids, event.key_id),
  );
}

function hearsOrganization(channel: RoutedChannel, organizationId: string): boolean {
  if (channel.organization_id !== '') return channel.organization_id === organizationId;
  return allows(channel.routing.organizations, organizationId);
}

function isLoudEnough(routing: Routing, event: Pick<AlertEvent, 'kind' | 'severity'>): boolean {
  if (routing.min_severity === undefined && REGISTRY_KINDS.has(event.kind)) return true;
  return RANK[event.severity] >= RANK[routing.min_severity ?? 'warning'];
}

/** The owner of the key, where the channel writes to owners and this one has not unsubscribed; '' otherwise. */
export function ownerOf(
  channel: Pick<RoutedChannel, 'type' | 'routing' | 'settings'>,
  key: Pick<RegisteredKey, 'owner_email'> | undefined,
): string {
  if (channel.type !== 'email' || channel.routing.to_owner !== true || !key) return '';
  const address = key.owner_email.trim();
  return unsubscribedOf(channel).includes(address.toLowerCase()) ? '' : address;
}

/** Who does not want to be written to any more, in lower case. */
export function unsubscribedOf({ settings }: Pick<RoutedChannel, 'settings'>): string[] {
  const list = settings.unsubscribed;
  return Array.isArray(list) ? list.map((address) => String(address).toLowerCase()) : [];
}

/** Whether somebody is there to hear: mail needs an address, the channel's own or the key's owner. */
export function hasRecipient(channel: RoutedChannel, key: Pick<RegisteredKey, 'owner_email'> | undefined): boolean {
  return ownerOf(channel, key) !== '' || hasOwnRecipient(channel);
}

/** Whether a channel reaches somebody whatever key an alert is about. */
export function hasOwnRecipient(channel: RoutedChannel): boolean {
  if (channel.type !== 'email') return true;
  const { to } = channel.settings;
  const unsubscribed = unsubscribedOf(channel);
  return Array.isArray(to) && to.some((address) => !unsubscribed.includes(String(address).toLowerCase()));
}
