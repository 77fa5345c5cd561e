import { keyPath } from '../address/route.ts';
import { writerOf } from '../charts/value-writer.ts';
import { formatCount } from '../format/number.ts';
import type { Alert, AlertEvidence } from '../http/contract/alerts.ts';
import { countryName } from '../map/country-name.ts';
import { formatInstant } from '../time/label.ts';
import { HOUR, MINUTE, type Span } from '../time/range.ts';
import { searchText, timeFields } from '../time/time-view.ts';
import { browserZone } from '../time/zone-names.ts';

/** What was seen and expected, as names and values. */
export function factsOf(evidence: AlertEvidence, zone: string): [name: string, value: string][] {
  const write = writerOf(evidence.unit);
  const facts: ([string, string] | undefined)[] = [
    evidence.value === undefined ? undefined : ['Seen', write(evidence.value)],
    evidence.expected === undefined ? undefined : ['Expected', write(evidence.expected)],
    evidence.windowMinutes === undefined ? undefined : ['Over', `${formatCount(evidence.windowMinutes)} minutes`],
    evidence.baseline ? ['Expectation from', evidence.baseline] : undefined,
    evidence.statistic && [
      evidence.statistic.name,
      `${rounded(evidence.statistic.value)}, fires from ${rounded(evidence.statistic.threshold)}`,
    ],
    evidence.limit && [
      'Limit',
      `${formatCount(evidence.limit.used)} of ${formatCount(evidence.limit.limit)} a ${evidence.limit.period}`,
    ],
    evidence.limit?.fullAt ? ['Used up', formatInstant(evidence.limit.fullAt, zone)] : undefined,
    evidence.country ? ['Country', countryName(evidence.country)] : undefined,
    evidence.fleet && [
      'Keys together',
      `${formatCount(evidence.fleet.firingKeys)} of ${formatCount(evidence.fleet.activeKeys)} active ones`,
    ],
  ];
  return facts.filter((fact) => fact !== undefined);
}

const rounded = (value: number) => String(Number(value.toPrecision(3)));

/** The time an alert is about: its chart, else two hours around its opening. */
export function spanOf({ opened_at, evidence }: Pick<Alert, 'opened_at' | 'evidence'>): Span {
  const { chart } = evidence;
  if (chart) {
    const from = Date.parse(chart.start);
    return { from, to: from + chart.values.length * chart.bucketMinutes * MINUTE };
  }
  const at = Date.parse(opened_at);
  return { from: at - HOUR, to: at + HOUR };
}

export function usageAround(keyId: string, range: Span): string {
  if (!keyId) return '/';
  return `${keyPath(keyId)}?${searchText(timeFields({ range, zone: browserZone(), live: false }))}`;
}
