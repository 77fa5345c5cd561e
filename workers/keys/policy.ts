import type { RegisteredKey } from './key.ts';

export const POLICY_KINDS = ['expired', 'unused', 'abusive', 'leaked'] as const;
export type PolicyKind = (typeof POLICY_KINDS)[number];

/** When a key is meant; which of these count depends on the kind. */
export interface PolicySettings {
  /** unused: not used for this many days. */
  unused_days?: number;
  /** unused: never used in this many days since Keytally watches it. */
  never_used_days?: number;
  /** abusive: length of the window that ends now. */
  window_minutes?: number;
  /** abusive: fewer requests than this in the window prove nothing. */
  min_requests?: number;
  /** abusive: share of 4xx answers, 0..1. 5xx do not count: they are the platform's fault, not the key's. */
  client_error_rate?: number;
  /** abusive: more than this many times the key's limit per minute, on the average of the window. */
  limit_factor?: number;
  /** abusive: an alert of the key's own behaviour has been open for so long and nobody acknowledged it. */
  anomaly_minutes?: number;
}

/** A rule that deactivates keys. */
export interface Policy {
  policy_id: string;
  /** '' = every organization; likewise the two below. */
  organization_id: string;
  environment: string;
  plan: string;
  kind: PolicyKind;
  name: string;
  enabled: boolean;
  settings: PolicySettings;
  exempt_key_ids: string[];
  /** Days before acting on which to warn, e.g. [7, 1]; the count starts when a key first matches. */
  warn_days: number[];
  /** A run that matches more keys than this does nothing at all. */
  max_per_run: number;
  created_at: string;
  updated_at: string;
}

type Scoped = Pick<Policy, 'organization_id' | 'environment' | 'plan'>;

/** Whether the key is in the policy's scope. */
export function inScope(policy: Scoped, key: Scoped): boolean {
  return (['organization_id', 'environment', 'plan'] as const).every(
    (field) => policy[field] === '' || policy[field] === key[field],
  );
}

/**
 * Whether a key is expired by itself when its time has come: yes, unless the most specific `expired` policy of its
 * scope is switched off or exempts it. Between two equally specific policies the one that is off wins.
 */
export function expiresByItself(
  key: Scoped & Pick<RegisteredKey, 'key_id'>,
  policies: readonly Pick<Policy, 'kind' | 'enabled' | 'exempt_key_ids' | 'organization_id' | 'environment' | 'plan'>[],
): boolean {
  const specificity = (policy: Scoped) =>
    Number(policy.organization_id !== '') + Number(policy.environment !== '') + Number(policy.plan !== '');
  let best = -1;
  let expires = true;
  for (const policy of policies) {
    if (policy.kind !== 'expired' || !inScope(policy, key)) continue;
    const applies = policy.enabled && !policy.exempt_key_ids.includes(key.key_id);
    const rank = specificity(policy);
    if (rank > best || (rank === best && !applies)) expires = applies;
    best = Math.max(best, rank);
  }
  return expires;
}

const DAY_MS = 86_400_000;

export type WarningStep =
  | { kind: 'warn'; days: number; actsAtMs: number }
  | { kind: 'wait' }
  /** Warned long enough ago, or no warning was asked for. */
  | { kind: 'act' };

/** So long after the day that a warning named it still holds: a run may be late, but a warning of last spring warns of nothing. */
export const WARNING_HOLDS_MS = 3 * DAY_MS;

/**
 * The warnings that count now. Those of a match that ended and was not acted upon are over: a key that matches again months later is warned
 * again. Each episode is named by when the one before it began, so that two runs at once name the same one.
 * @param given by episode, '' the first, when each warning was given by its days
 */
export function presentEpisode(
  warnDays: readonly number[],
  given: ReadonlyMap<string, ReadonlyMap<number, number>>,
  nowMs: number,
): { episode: string; warnedAtMs: ReadonlyMap<number, number> } {
  const longest = Math.max(...warnDays);
  let episode = '';
  // No episode is met twice: rows that name each other must not be followed for ever.
  for (let step = 0; step <= given.size; step++) {
    const firstMs = given.get(episode)?.get(longest);
    const isOver = firstMs !== undefined && nowMs > firstMs + longest * DAY_MS + WARNING_HOLDS_MS;
    if (!isOver || String(firstMs) === episode) break;
    episode = String(firstMs);
  }
  return { episode, warnedAtMs: given.get(episode) ?? new Map<number, number>() };
}

/**
 * What to do about a key that matches now. Nobody is acted upon who was not warned as long before as the policy says.
 * @param warnedAtMs when each warning of this episode was given, by its days
 */
export function nextWarning(
  warnDays: readonly number[],
  warnedAtMs: ReadonlyMap<number, number>,
  nowMs: number,
): WarningStep {
  const steps = [...warnDays].sort((a, b) => b - a);
  const longest = steps[0];
  if (longest === undefined) return { kind: 'act' };
  const firstMs = warnedAtMs.get(longest);
  if (firstMs === undefined) return { kind: 'warn', days: longest, actsAtMs: nowMs + longest * DAY_MS };
  const actsAtMs = firstMs + longest * DAY_MS;
  if (nowMs >= actsAtMs) return { kind: 'act' };
  const due = steps.filter((days) => actsAtMs - days * DAY_MS <= nowMs).at(-1)!;
  return warnedAtMs.has(due) ? { kind: 'wait' } : { kind: 'warn', days: due, actsAtMs };
}
