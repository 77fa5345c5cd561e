import type { Policy, PolicyFields, PolicyKind } from '../http/contract.ts';
import { ProblemError } from '../http/problem.ts';

/** A policy while it is written: its limit is missing for as long as somebody types it anew. */
export interface PolicyDraft extends Omit<PolicyFields, 'max_per_run'> {
  max_per_run: number | null;
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

/** What is edited of a policy: the api's answers carry more than it takes. */
export function fieldsOf(policy: Policy): PolicyFields {
  const { policy_id, created_at, updated_at, ...fields } = policy;
  return fields;
}

/**
 * @throws {ProblemError} for a limit that is missing, and for warnings that are no days: how many keys may go at once, and
 *   how soon, is nobody's to guess
 */
export function completed(draft: PolicyDraft): PolicyFields {
  const { max_per_run, warn_days } = draft;
  if (!warn_days.every(Number.isInteger)) {
    throw new ProblemError(400, 'Not complete', 'Whole days, as 7, 1', 'warn_days');
  }
  if (max_per_run !== null) return { ...draft, max_per_run };
  throw new ProblemError(400, 'Not complete', 'Say how many keys one run may deactivate at most.', 'max_per_run');
}
