import type { AlertEvent, AlertEvidence } from '../alert.ts';
import { alertKeyOf } from '../alert.ts';
import { judgeFleet } from '../detectors/fleet-guard.ts';
import { silencedUntil } from '../silence-matching.ts';
import { isOpen } from '../state.ts';
import type { WindowInput } from './evaluate-window.ts';
import { noFacts } from './key-facts.ts';
import type { KindEvaluation } from './kind.ts';
import { eventOfStep } from './steps.ts';
import { countText } from './wording.ts';

/** Keys that breach now, by fleet group. */
export type FleetCounts = Map<string, Set<string>>;

/** Step of the one alert that stands for many keys of a kind; undefined while nothing happens to it. */
export function fleetStep(
  kind: KindEvaluation,
  group: string,
  input: WindowInput,
  counts: FleetCounts,
): AlertEvent | undefined {
  const scope = `${kind.kind} ${group}`.trim();
  const known = input.known.get(alertKeyOf('platform', '', scope));
  const firing = counts.get(group)?.size ?? 0;
  if (firing === 0 && !(known && isOpen(known.state.phase))) return undefined;
  const facts = noFacts('');
  const effective = input.book.for('platform', facts);
  const { min_share, min_keys } = effective.settings;
  const verdict = judgeFleet(firing, Math.max(firing, input.activeKeys), { minShare: min_share, minKeys: min_keys });
  const judged = {
    kind: 'platform' as const,
    scope,
    keyId: '',
    level: verdict.level,
    severity: 'critical' as const,
    describe: () => evidenceOf(kind, group, verdict, min_share),
  };
  return eventOfStep(known, judged, input.context, {
    facts,
    effective,
    silencedUntilMs: silencedUntil({ ...facts, kind: 'platform' }, input.silences, input.judgedAtMs),
    inhibitedBy: undefined,
  });
}

const WHAT: Record<string, string> = {
  server_errors: 'many server errors (5xx)',
  client_errors: 'many client errors (4xx)',
  refused: 'many refused requests (401 or 403)',
  rate_limited: 'many rate limited requests (429)',
  spike: 'far more requests than usual',
  drop: 'far fewer requests than usual',
  latency: 'slow answers',
  country_mix: 'requests from other countries than usual',
  new_country: 'requests from new countries',
};

function evidenceOf(
  kind: KindEvaluation,
  group: string,
  verdict: ReturnType<typeof judgeFleet>,
  minShare: number,
): AlertEvidence {
  const { firingKeys, activeKeys, share, expectedKeys } = verdict;
  const what = WHAT[group] ?? WHAT[kind.kind] ?? kind.kind;
  const summary =
    verdict.level === 'clear'
      ? `Back to normal: ${countText(firingKeys)} of ${countText(activeKeys)} active keys still show ${what}.`
      : `${countText(firingKeys)} of ${countText(activeKeys)} active keys show ${what} at the same time; the cause is likely common to them.`;
  return {
    summary,
    value: firingKeys,
    expected: expectedKeys,
    unit: 'keys',
    statistic: { name: 'share of active keys', value: share, threshold: minShare },
    fleet: { firingKeys, activeKeys, kind: kind.kind },
  };
}
