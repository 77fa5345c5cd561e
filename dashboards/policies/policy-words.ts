import type { Policy, PolicyFields, PolicyKind } from '../http/contract.ts';

export const KIND_NAMES: Record<PolicyKind, string> = {
  unused: 'Unused',
  abusive: 'Abusive',
  leaked: 'Leaked',
  expired: 'Expired',
};

const percent = (share: number) => `${Math.round(share * 1000) / 10}%`;

/** Which keys a policy deactivates, in one sentence. */
export function meaningOf({ kind, settings, enabled }: Pick<PolicyFields, 'kind' | 'settings' | 'enabled'>): string {
  const { unused_days, never_used_days, window_minutes = 15, client_error_rate, limit_factor } = settings;
  switch (kind) {
    case 'expired':
      return enabled ? 'Keys whose expiry date has passed' : 'Takes keys out of expiring by themselves while it is off';
    case 'leaked':
      return 'Keys that were reported as leaked';
    case 'unused': {
      const parts = [
        unused_days && `not used for ${unused_days} days`,
        never_used_days && `never used in ${never_used_days} days`,
      ].filter(Boolean);
      return `Keys ${parts.join(', or ') || 'without a number of days yet'}`;
    }
    case 'abusive': {
      const parts = [
        client_error_rate && `at least ${percent(client_error_rate)} client errors`,
        limit_factor && `${limit_factor} times their limit per minute`,
      ].filter(Boolean);
      return `Keys with ${parts.join(', or ') || 'no threshold yet'} over ${window_minutes} minutes`;
    }
  }
}

/** Which keys it looks at. */
export function scopeOf({
  organization_id,
  environment,
  plan,
}: Pick<Policy, 'organization_id' | 'environment' | 'plan'>) {
  const parts = [organization_id, environment, plan && `plan ${plan}`].filter(Boolean);
  return parts.join(' · ') || 'all keys';
}

export function warningsOf({ warn_days }: Pick<Policy, 'warn_days'>): string {
  if (warn_days.length === 0) return 'at once';
  const days = [...warn_days].sort((a, b) => b - a);
  return `warns ${days.join(', ')} ${days.length === 1 && days[0] === 1 ? 'day' : 'days'} before`;
}

/** A policy nobody has saved: off, with the values most people begin with. */
export const NEW_POLICY: PolicyFields = {
  name: 'Unused for 90 days',
  kind: 'unused',
  enabled: false,
  organization_id: '',
  environment: '',
  plan: '',
  settings: { unused_days: 90, never_used_days: 90 },
  exempt_key_ids: [],
  warn_days: [7, 1],
  max_per_run: 100,
};

export const FIRST_SETTINGS: Record<PolicyKind, PolicyFields['settings']> = {
  unused: { unused_days: 90, never_used_days: 90 },
  abusive: { client_error_rate: 0.9, window_minutes: 15, min_requests: 100 },
  leaked: {},
  expired: {},
};

/** What is sent to the api: its answers carry more than it takes. */
export function fieldsOf(policy: Policy): PolicyFields {
  const { policy_id, created_at, updated_at, ...fields } = policy;
  return fields;
}
