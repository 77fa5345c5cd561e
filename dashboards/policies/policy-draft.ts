import type { Policy, PolicyFields, PolicyKind } from '../http/contract/policies.ts';
import { ProblemError } from '../http/problem.ts';
import { KIND_NAMES } from './policy-words.ts';

/** A policy while it is written: its limit is missing for as long as somebody types it anew. */
export interface PolicyDraft extends Omit<PolicyFields, 'max_per_run'> {
  max_per_run: number | null;
}

const FIRST_NAMES: Record<PolicyKind, string> = { ...KIND_NAMES, unused: 'Unused for 90 days' };

const FIRST_SETTINGS: Record<PolicyKind, PolicyFields['settings']> = {
  unused: { unused_days: 90, never_used_days: 90 },
  abusive: { client_error_rate: 0.9, window_minutes: 15, min_requests: 100 },
  leaked: {},
  expired: {},
};

/** A key that others hold or abuse must not go on working for the days of a warning. */
const FIRST_WARNINGS: Record<PolicyKind, number[]> = { unused: [7, 1], abusive: [], leaked: [], expired: [] };

/** A policy nobody has saved: off, with the values most people begin with. */
export const NEW_POLICY: PolicyFields = {
  name: FIRST_NAMES.unused,
  kind: 'unused',
  enabled: false,
  organization_id: '',
  environment: '',
  plan: '',
  settings: FIRST_SETTINGS.unused,
  exempt_key_ids: [],
  warn_days: FIRST_WARNINGS.unused,
  max_per_run: 100,
};

/** The same policy for keys of another kind: what was written for the one before would mean something else here. */
export function ofKind(draft: PolicyDraft, kind: PolicyKind): PolicyDraft {
  const name = draft.name === FIRST_NAMES[draft.kind] ? FIRST_NAMES[kind] : draft.name;
  return { ...draft, name, kind, settings: FIRST_SETTINGS[kind], warn_days: FIRST_WARNINGS[kind] };
}

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
