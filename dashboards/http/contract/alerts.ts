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
