import type { Policy, PolicyFields, PolicyKind } from '../http/contract/policies.ts';

export const KIND_NAMES: Record<PolicyKind, string> = {
  unused: 'Unused',
  abusive: 'Abusive',
  leaked: 'Leaked',
  expired: 'Expired',
};

const percent = (share: number) => `${Math.round(share * 1000) / 10}%`;

/** Which keys a policy deactivates, in one sentence. */
export function meaningOf({ kind, settings, enabled }: Pick<PolicyFields, 'kind' | 'settings' | 'enabled'>): string {
  const { unused_days, never_used_days } = settings;
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
    case 'abusive':
      return `Keys with ${abuseOf(settings) || 'no threshold yet'}`;
  }
}

function abuseOf({
  window_minutes = 15,
  client_error_rate,
  limit_factor,
  anomaly_minutes,
}: PolicyFields['settings']): string {
  const inWindow = [
    client_error_rate && `at least ${percent(client_error_rate)} client errors`,
    limit_factor && `${limit_factor} times their limit per minute`,
  ].filter(Boolean);
  const parts = [
    inWindow.length > 0 && `${inWindow.join(', or ')} over ${window_minutes} minutes`,
    anomaly_minutes && `an alert of their behaviour unacknowledged for ${anomaly_minutes} minutes`,
  ].filter(Boolean);
  return parts.join(', or ');
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
