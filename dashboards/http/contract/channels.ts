import type { AlertKind, Severity } from './alerts.ts';

export type ChannelType = 'email' | 'webhook' | 'slack' | 'pagerduty' | 'teams' | 'discord';

export interface Routing {
  organizations?: string[];
  kinds?: AlertKind[];
  min_severity?: Severity;
  environments?: string[];
  key_ids?: string[];
  to_owner?: boolean;
  timezone?: string;
  quiet_hours?: { from: string; to: string; weekdays?: number[] };
  digest_hour?: number;
}

export interface Channel {
  channel_id: string;
  organization_id: string;
  name: string;
  type: ChannelType;
  purpose: 'alerts' | 'key_events';
  enabled: boolean;
  settings: Record<string, unknown>;
  routing: Routing;
  disabled_reason: string;
  problem: string;
  created_at: string;
  updated_at: string;
}

export interface Delivery {
  delivery_id: string;
  alert_id: string;
  channel_id: string;
  organization_id: string;
  key_id: string;
  kind: string;
  notify: string;
  message_id: string;
  status: 'waiting' | 'retrying' | 'sent' | 'failed' | 'digest' | 'held' | 'dropped';
  reason: string;
  attempts: number;
  response_status: number;
  event_at: string;
  created_at: string;
  next_attempt_at: string | null;
  sent_at: string | null;
}
