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
