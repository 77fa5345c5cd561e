import type { AlertKind, Severity } from '../http/contract/alerts.ts';
import type { ChannelType } from '../http/contract/channels.ts';

export const ALERT_KINDS: readonly (readonly [AlertKind, string])[] = [
  ['error_rate', 'High error rate'],
  ['traffic_anomaly', 'Unusual traffic'],
  ['latency', 'Slow answers'],
  ['new_country', 'New country'],
  ['country_mix', 'Countries shifted'],
  ['near_limit', 'Near a limit'],
  ['key_expiring', 'Key expires soon'],
  ['key_expired', 'Key expired'],
  ['key_deactivated', 'Key deactivated'],
  ['key_unused', 'Key unused'],
  ['rotation_due', 'Rotation due'],
  ['key_leaked', 'Key leaked'],
  ['platform', 'Whole platform'],
];
/** How often pages of alerts ask whether anything changed: the evaluation looks once a minute. */
export const ALERTS_EVERY_MS = 30_000;

const NAMES = new Map<string, string>(ALERT_KINDS);

export function kindName(kind: string): string {
  return NAMES.get(kind) ?? kind;
}

export const SEVERITIES: readonly (readonly [Severity, string])[] = [
  ['info', 'info'],
  ['warning', 'warning'],
  ['critical', 'critical'],
];

export const CHANNEL_TYPES: readonly (readonly [ChannelType, string])[] = [
  ['email', 'E-mail'],
  ['webhook', 'Webhook'],
  ['slack', 'Slack'],
  ['teams', 'Microsoft Teams'],
  ['discord', 'Discord'],
  ['pagerduty', 'PagerDuty'],
];
const TYPE_NAMES = new Map<string, string>(CHANNEL_TYPES);

export function channelTypeName(type: string): string {
  return TYPE_NAMES.get(type) ?? type;
}
