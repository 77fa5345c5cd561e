/** The api's answers as this app reads them. The api owns the contract (GET /openapi.json). */
export type KeyStatus = 'active' | 'inactive' | 'expired' | 'discovered' | 'deleted';

export interface LastUse {
  at: string;
  country: string | null;
  method: string | null;
  route: string | null;
  status: number | null;
}

export type Limits = Partial<Record<'per_minute' | 'per_day' | 'per_month' | 'burst', number | null>>;

export interface ApiKey {
  key_id: string;
  name: string | null;
  organization_id: string | null;
  customer_id: string | null;
  status: KeyStatus;
  environment: string | null;
  prefix: string | null;
  created_at: string | null;
  expires_at: string | null;
  tracking_since: string | null;
  last_used: LastUse | null;
  total_requests: number;
  requests_30d: number;
  error_rate_30d: number | null;
  limits: Limits | null;
  /** Share of each limit in use, 0..1 and above. */
  utilization?:
    | (Partial<Record<keyof Limits, number | null>> & {
        /** When a limit is reached at the pace of its window; null = not in this window, or too early to say. */
        forecast?: Partial<Record<'per_day' | 'per_month', string | null>>;
      })
    | null;
  /** Why a key is not active. */
  status_reason?: string;
  /** With include=series: the last 30 UTC days, today last. */
  series?: { from: string; requests: number[]; errors: number[] };
}

export interface Page<Item> {
  data: Item[];
  next_cursor: string | null;
}

export interface Latency {
  p50: number | null;
  p95: number | null;
  p99: number | null;
}

export interface Totals {
  requests: number;
  client_errors: number;
  server_errors: number;
  error_rate: number | null;
  rate_limited: number;
  latency_ms: Latency | null;
  request_bytes: number;
  response_bytes: number;
}

export interface SeriesPoint {
  start: string;
  requests: number;
  redirects: number;
  client_errors: number;
  server_errors: number;
  rate_limited: number;
  latency_ms: Latency | null;
}

export interface EndpointRow {
  method: string;
  route: string;
  requests: number;
  error_rate: number | null;
  latency_ms: { p95: number | null } | null;
}

export interface CountryRow {
  country: string;
  requests: number;
  error_rate: number | null;
}

export interface StatusRow {
  status: number;
  requests: number;
}

export interface Usage {
  key_id: string;
  from: string;
  to: string;
  bucket: 'minute' | 'quarter_hour' | 'hour' | 'day' | 'week' | 'month';
  timezone: string;
  complete_until: string | null;
  totals: Totals;
  previous: Totals | null;
  series: SeriesPoint[];
  endpoints: EndpointRow[];
  countries: CountryRow[];
  statuses: StatusRow[];
  /** The filters that were applied. */
  filters: Record<string, string>;
}

export interface GroupedUsage {
  from: string;
  to: string;
  group_by: string;
  data: UsageGroup[];
}

export interface UsageGroup {
  group: string;
  requests: number;
  client_errors: number;
  server_errors: number;
  error_rate: number;
}

export interface RequestRow {
  timestamp: string;
  key_id: string;
  method: string;
  path: string;
  route: string | null;
  status: number;
  latency_ms: number | null;
  request_bytes: number;
  response_bytes: number;
  country: string | null;
  ip: string | null;
  user_agent: string | null;
  request_id: string | null;
  service: string | null;
  environment: string | null;
  rate_limited: boolean;
  error: string | null;
}

export interface Session {
  scopes: string[];
  organization_id: string | null;
  key_id: string | null;
  name: string | null;
}

/** GET /v1/usage?include=series: all readable keys together over time. */
export interface FleetUsage extends GroupedUsage {
  bucket: Usage['bucket'];
  timezone: string;
  complete_until: string;
  series: Omit<SeriesPoint, 'latency_ms'>[];
}

export type PolicyKind = 'expired' | 'unused' | 'abusive' | 'leaked';

export interface PolicyFields {
  name: string;
  kind: PolicyKind;
  enabled: boolean;
  organization_id: string;
  environment: string;
  plan: string;
  settings: Partial<
    Record<
      | 'unused_days'
      | 'never_used_days'
      | 'window_minutes'
      | 'min_requests'
      | 'client_error_rate'
      | 'limit_factor'
      | 'anomaly_minutes',
      number
    >
  >;
  exempt_key_ids: string[];
  warn_days: number[];
  max_per_run: number;
}

export interface Policy extends PolicyFields {
  policy_id: string;
  created_at: string;
  updated_at: string;
}

export interface PolicyPreview {
  matched: number;
  would_stop: boolean;
  keys: { key_id: string; name: string; because: string }[];
}

export interface PolicyRun {
  run_id: string;
  policy_id: string;
  actor: string;
  started_at: string;
  finished_at: string | null;
  outcome: 'running' | 'done' | 'stopped' | 'undone';
  matched: number;
  warned: number;
  changed: number;
  detail: string;
}

export interface AuditEntry {
  at: string;
  action: string;
  actor: string;
  reason: string;
  before: Record<string, unknown> | null;
  after: Record<string, unknown> | null;
  version: number;
  run_id: string | null;
  subject: string;
  organization_id: string | null;
}

export interface TokenEntry {
  id: string;
  name: string;
  scopes: string[];
  organization_id: string | null;
  key_id: string | null;
  created_at: string;
  expires_at: string | null;
}

export interface SourceEntry {
  format: string;
  organization_id: string | null;
  last_received_at: string;
  accepted: number;
  rejected: number;
  error: string;
}

export interface QueueEntry {
  name: string;
  holds: string;
  waiting: number;
  active: number;
  delayed: number;
  failed: number;
  paused: boolean;
  oldest_waiting_ms: number;
}

export interface Jobs {
  queues: QueueEntry[];
  schedules: {
    name: string;
    does: string;
    expression: string;
    next_run_at: string | null;
    last_run: { at: string; duration_ms: number; outcome: 'done' | 'failed' | 'running' } | null;
  }[];
  failed: { queue: string; id: string; name: string; failed_at: string | null; attempts: number; reason: string }[];
}

export interface SystemHealth {
  now: string;
  version: string;
  node_version: string;
  process_started_at: string;
  pipeline: {
    waiting_batches: number;
    failed_batches: number;
    lag_ms: number;
    paused: boolean;
    last_received_at: string | null;
    waiting_dead_letters: number;
  };
  redis: {
    version: string;
    used_memory_bytes: number;
    max_memory_bytes: number;
    used_ratio: number;
    refuses_above_ratio: number;
    appendonly: boolean;
  };
  store: {
    engine: 'embedded' | 'server';
    version: string;
    bytes: number;
    tables: { table: string; rows: number; bytes: number; parts: number }[];
  };
  geo: { built_at: string | null };
  retention_days: Record<'requests' | 'minute' | 'quarter_hour' | 'day', number>;
}

/** What single keys take on disk, of `/v1/storage`. */
export interface StoredKeys {
  keys: { key_id: string; requests: number; rollup_rows: number; bytes_on_disk: number }[];
}

export type AlertKind =
  | 'error_rate'
  | 'traffic_anomaly'
  | 'latency'
  | 'new_country'
  | 'country_mix'
  | 'near_limit'
  | 'key_expiring'
  | 'key_expired'
  | 'key_deactivated'
  | 'key_unused'
  | 'rotation_due'
  | 'key_leaked'
  | 'platform';
export type Severity = 'info' | 'warning' | 'critical';
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

export interface Silence {
  silence_id: string;
  organization_id: string;
  matchers: { kinds?: AlertKind[]; key_ids?: string[]; environments?: string[] };
  starts_at: string;
  ends_at: string;
  reason: string;
  created_by: string;
  created_at: string;
  active: boolean;
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

export interface Contribution {
  dimension: 'endpoint' | 'country' | 'status';
  value: string;
  requests: number;
  share: number;
  usualShare: number | null;
}

export interface EvidenceChart {
  start: string;
  bucketMinutes: number;
  values: (number | null)[];
  expected: (number | null)[];
}

/** What was seen and what was expected; which fields there are depends on the kind. */
export interface AlertEvidence {
  summary: string;
  value?: number;
  expected?: number;
  unit?: 'requests' | 'ratio' | 'ms' | 'percent' | 'keys';
  windowMinutes?: number;
  baseline?: string;
  statistic?: { name: string; value: number; threshold: number };
  chart?: EvidenceChart;
  contributions?: Contribution[];
  limit?: { period: string; used: number; limit: number; stepPercent: number; fullAt?: string };
  country?: string;
  fleet?: { firingKeys: number; activeKeys: number; kind: string };
}

export interface Alert {
  alert_id: string;
  kind: AlertKind;
  scope: string;
  /** '' = the whole platform. */
  key_id: string;
  organization_id: string;
  environment: string;
  rule_id: string;
  phase: 'firing' | 'recovering' | 'resolved';
  severity: Severity;
  summary: string;
  opened_at: string;
  changed_at: string;
  resolved_at: string | null;
  told: boolean;
  withheld: string;
  acknowledged: { by: string; at: string } | null;
  evidence: AlertEvidence;
}

export interface AlertStep {
  event_id: string;
  at: string;
  phase: string;
  severity: Severity;
  transition: string;
  notify: string;
  withheld: string;
  actor: string;
  evidence: AlertEvidence;
}

export interface AlertDetails extends Alert {
  events: AlertStep[];
}

export interface RuleFields {
  name: string;
  kind: AlertKind;
  enabled: boolean;
  organization_id: string;
  environment: string;
  plan: string;
  key_id: string;
  severity: Severity | null;
  quiet_minutes: number | null;
  repeat_minutes: number | null;
  settings: Record<string, unknown>;
}

export interface Rule extends RuleFields {
  rule_id: string;
  /** `file`: made by alerts.yaml and changed only there. */
  source: 'api' | 'file';
  created_at: string;
  updated_at: string;
}

export interface DeadLetter {
  id: string;
  at: string;
  rows: number;
  reason: string;
  /** First record as text, redacted; null when it was kept packed. */
  sample: Record<string, string> | null;
  outcome: 'waiting' | 'replayed' | 'dropped';
}

export interface SettledLetter {
  id: string;
  outcome: string;
  rows: number;
}

export interface InvariantReport {
  /** Null before the first check. */
  checked_at: string | null;
  /** Violations are -1 when the check itself failed. */
  invariants: { name: string; says: string; violations: number; examples: string[] }[];
}
