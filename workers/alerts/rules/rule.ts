/**
 * Which settings hold for a key and a kind: those of the most specific rule that matches, else the built-in defaults. A rule
 * replaces the defaults as a whole; what it leaves out is the default, not what a less specific rule says.
 */
import type { AlertKind } from '../alert.ts';
import { DEFAULT_POLICY, type Severity, type StatePolicy } from '../state.ts';
import { defaultSettings, type RuleFields, SETTINGS, type SettingsOf } from './settings.ts';

export interface Rule extends RuleFields {
  rule_id: string;
  /** `file`: made by alerts.yaml and changed only by it. */
  source: 'api' | 'file';
  created_at: string;
  updated_at: string;
}

/** What a rule is matched by. */
export interface RuleSubject {
  key_id: string;
  organization_id: string;
  environment: string;
  plan: string;
}

/** Settings in force for one key and kind. */
export interface Effective<Kind extends AlertKind> {
  /** '' = the built-in defaults. */
  ruleId: string;
  enabled: boolean;
  /** null = as the kind decides. */
  severity: Severity | null;
  quietMs: number | null;
  repeatMs: number | null;
  settings: SettingsOf<Kind>;
}

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
const CRITICAL_REPEAT_MS = 4 * HOUR_MS;

/** Key before plan before environment before organization before everything; equal ones: the newer. */
const SPECIFICITY = [
  ['key_id', 8],
  ['plan', 4],
  ['environment', 2],
  ['organization_id', 1],
] as const;

const matches = (rule: RuleFields, subject: RuleSubject): boolean =>
  SPECIFICITY.every(([field]) => rule[field] === '' || rule[field] === subject[field]);

const weightOf = (rule: RuleFields): number =>
  SPECIFICITY.reduce((sum, [field, weight]) => sum + (rule[field] === '' ? 0 : weight), 0);

/** The rule that decides; undefined when none matches and the defaults hold. */
export function mostSpecific(rules: readonly Rule[], kind: AlertKind, subject: RuleSubject): Rule | undefined {
  let best: Rule | undefined;
  for (const rule of rules) {
    if (rule.kind !== kind || !matches(rule, subject)) continue;
    if (!best || isStronger(rule, best)) best = rule;
  }
  return best;
}

function isStronger(rule: Rule, other: Rule): boolean {
  const difference = weightOf(rule) - weightOf(other);
  if (difference !== 0) return difference > 0;
  if (rule.updated_at !== other.updated_at) return rule.updated_at > other.updated_at;
  return rule.rule_id > other.rule_id;
}

export function effectiveOf<Kind extends AlertKind>(kind: Kind, rule: Rule | undefined): Effective<Kind> {
  if (!rule) {
    const none = { ruleId: '', enabled: true, severity: null, quietMs: null, repeatMs: null };
    return { ...none, settings: defaultSettings(kind) };
  }
  return {
    ruleId: rule.rule_id,
    enabled: rule.enabled,
    severity: rule.severity,
    quietMs: rule.quiet_minutes === null ? null : rule.quiet_minutes * MINUTE_MS,
    repeatMs: rule.repeat_minutes === null ? null : rule.repeat_minutes * MINUTE_MS,
    settings: SETTINGS[kind].parse(rule.settings) as SettingsOf<Kind>,
  };
}

/** Pacing for the state machine: the detectors decide over several windows by themselves, so one breach opens. */
export function policyOf(effective: Effective<AlertKind>, severity: Severity): StatePolicy {
  const repeatMs = severity === 'critical' ? CRITICAL_REPEAT_MS : DEFAULT_POLICY.repeatMs;
  return {
    ...DEFAULT_POLICY,
    breaches: 1,
    ofLast: 1,
    quietMs: effective.quietMs ?? DEFAULT_POLICY.quietMs,
    repeatMs: effective.repeatMs ?? repeatMs,
  };
}

/** Answers for many keys; rules are few and keys many, so each (kind, scope of rules) is worked out once. */
export class RuleBook {
  readonly rules: readonly Rule[];
  readonly #byKind = new Map<AlertKind, Rule[]>();
  readonly #effective = new Map<string, Effective<AlertKind>>();

  constructor(rules: readonly Rule[]) {
    this.rules = rules;
    for (const rule of rules) this.#byKind.set(rule.kind, [...(this.#byKind.get(rule.kind) ?? []), rule]);
  }

  for<Kind extends AlertKind>(kind: Kind, subject: RuleSubject): Effective<Kind> {
    const rule = mostSpecific(this.#byKind.get(kind) ?? [], kind, subject);
    const name = `${kind} ${rule?.rule_id ?? ''}`;
    let known = this.#effective.get(name);
    if (!known) this.#effective.set(name, (known = effectiveOf(kind, rule)));
    return known as Effective<Kind>;
  }

  /** Settings of every rule of the kind that is on, and the defaults: what SQL must not filter too strictly. */
  allSettings<Kind extends AlertKind>(kind: Kind): SettingsOf<Kind>[] {
    const enabled = (this.#byKind.get(kind) ?? []).filter((rule) => rule.enabled);
    return [defaultSettings(kind), ...enabled.map((rule) => effectiveOf(kind, rule).settings)];
  }
}
