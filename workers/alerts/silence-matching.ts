/** Which alerts are not to be told for a while: pure matching of silences. */
import type { AlertKind } from './alert.ts';

/** Whom a silence means; an absent list means any. */
export interface SilenceMatchers {
  kinds?: readonly AlertKind[];
  key_ids?: readonly string[];
  environments?: readonly string[];
}

export interface Silence {
  /** '' = alerts of every organization. */
  organization_id: string;
  matchers: SilenceMatchers;
  startsAtMs: number;
  endsAtMs: number;
}

export interface SilenceSubject {
  kind: AlertKind;
  key_id: string;
  organization_id: string;
  environment: string;
}

/** Epoch milliseconds until which the alert is silenced at this time: the latest end of all that match; undefined = it is not. */
export function silencedUntil(subject: SilenceSubject, silences: readonly Silence[], atMs: number): number | undefined {
  let until: number | undefined;
  for (const silence of silences) {
    if (silence.startsAtMs > atMs || silence.endsAtMs <= atMs || !isMeant(subject, silence)) continue;
    until = Math.max(until ?? 0, silence.endsAtMs);
  }
  return until;
}

function isMeant(subject: SilenceSubject, { organization_id, matchers }: Silence): boolean {
  const among = (list: readonly string[] | undefined, value: string) =>
    !list || list.length === 0 || list.includes(value);
  return (
    (organization_id === '' || organization_id === subject.organization_id) &&
    among(matchers.kinds, subject.kind) &&
    among(matchers.key_ids, subject.key_id) &&
    among(matchers.environments, subject.environment)
  );
}
