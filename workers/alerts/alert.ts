import { createHash } from 'node:crypto';
import type { EndReason } from './end-reason.ts';
import type { AlertPhase, AlertState, NotifyReason, Severity, WithheldBecause } from './state.ts';

/** What an alert is about. `platform` is the one alert that stands for many keys firing together. */
export const ALERT_KINDS = [
  'error_rate',
  'traffic_anomaly',
  'latency',
  'new_country',
  'country_mix',
  'near_limit',
  'key_expiring',
  'key_expired',
  'key_deactivated',
  'key_unused',
  'rotation_due',
  'key_leaked',
  'platform',
] as const;
export type AlertKind = (typeof ALERT_KINDS)[number];

export type AlertTransition = 'opened' | 'severity_raised' | 'recovering' | 'resolved' | 'acknowledged';

/** One cause among the traffic of the judged window. Values come from requests: whoever shows them must escape them. */
export interface Contribution {
  dimension: 'endpoint' | 'country' | 'status';
  value: string;
  requests: number;
  /** Share of the window's requests (of its errors where the alert is about errors), 0..1. */
  share: number;
  /** The same share in the history; null when there is none. */
  usualShare: number | null;
}

/** A small picture of the measured value around the judged window. */
export interface EvidenceChart {
  /** Start of the first bucket, RFC 3339. */
  start: string;
  bucketMinutes: number;
  values: readonly number[];
  /** What was expected of each bucket; null where nothing is known. */
  expected: readonly (number | null)[];
}

/** What was seen and what was expected, so that a message can explain itself. Absent fields do not apply to the kind. */
export interface AlertEvidence {
  /** What happened, in one sentence without markup and without text from traffic. */
  summary: string;
  value?: number;
  expected?: number;
  unit?: 'requests' | 'ratio' | 'ms' | 'percent' | 'keys';
  windowMinutes?: number;
  /** From which history the expectation comes, in words: 'this hour in the last 6 weeks'. */
  baseline?: string;
  statistic?: { name: string; value: number; threshold: number };
  direction?: 'spike' | 'drop' | 'silence';
  chart?: EvidenceChart;
  /** What explains it most, strongest first. */
  contributions?: readonly Contribution[];
  /** near_limit */
  limit?: {
    period: 'burst' | 'minute' | 'day' | 'month';
    used: number;
    limit: number;
    stepPercent: number;
    fullAt?: string;
  };
  /** key_expiring, key_expired and other things of the registry: fields of the key event, RFC 3339 times. */
  key?: Readonly<Record<string, unknown>>;
  /** new_country */
  country?: string;
  /** platform: how many keys fire together, of how many. */
  fleet?: { firingKeys: number; activeKeys: number; kind: AlertKind };
  /** Of the end of an alert: why it is over. Absent in rows of an older version, and of the registry. */
  ended?: EndReason;
}

/** One step of an alert: a row of `alert_events`. */
export interface AlertEvent {
  event_id: string;
  alert_key: string;
  alert_id: string;
  /** RFC 3339. */
  at: string;
  recorded_at: string;
  kind: AlertKind;
  scope: string;
  key_id: string;
  organization_id: string;
  environment: string;
  rule_id: string;
  phase: AlertPhase;
  severity: Severity;
  transition: AlertTransition | '';
  notify: NotifyReason | '';
  withheld: WithheldBecause | '';
  actor: string;
  evidence: AlertEvidence;
  state: AlertState;
}

const identity = (...parts: readonly (string | number)[]): string =>
  createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 32);

/** Identity of an alert over all its openings. */
export const alertKeyOf = (kind: AlertKind, keyId: string, scope: string): string =>
  identity('alert', kind, keyId, scope);

/** Identity of one opening; mail threads and PagerDuty's dedup_key are made from it. */
export const alertIdOf = (alertKey: string, openedAtMs: number): string => identity('opening', alertKey, openedAtMs);

/** Identity of one step: judging the same window again makes the same event. */
export const eventIdOf = (alertKey: string, atMs: number, what: string): string =>
  identity('event', alertKey, atMs, what);
