import { describe, expect, test } from 'vitest';
import type { AlertEvent, AlertEvidence } from '../../../../workers/alerts/alert.ts';
import { noticeOf } from '../../../../workers/alerts/delivery/compose-message.ts';
import { errorRate } from '../../../../workers/alerts/evaluation/error-rate.ts';
import { type KnownAlert, knownAfter } from '../../../../workers/alerts/evaluation/event-store.ts';
import { noFacts } from '../../../../workers/alerts/evaluation/key-facts.ts';
import { noHistory } from '../../../../workers/alerts/evaluation/key-history.ts';
import { type Circumstances, eventOfStep, type Judged } from '../../../../workers/alerts/evaluation/steps.ts';
import { trafficAnomaly } from '../../../../workers/alerts/evaluation/traffic-anomaly.ts';
import { effectiveOf } from '../../../../workers/alerts/rules/rule.ts';
import type { Level } from '../../../../workers/alerts/state.ts';

const WINDOW_MS = 5 * 60_000;
const WINDOWS_PER_HOUR = 12;
const START = Date.parse('2026-11-01T00:00:00Z');

/** Judges every window of some days. @returns hour and phase of every row */
function judge(hours: number, levelAt: (hour: number) => Level): string[] {
  let known: KnownAlert | undefined;
  const rows: string[] = [];
  for (let window = 0; window <= hours * WINDOWS_PER_HOUR; window++) {
    const hour = window / WINDOWS_PER_HOUR;
    const atMs = START + window * WINDOW_MS;
    const judged = { kind: 'latency', scope: '', keyId: 'k', severity: 'warning', level: levelAt(hour) } as const;
    const event = eventOfStep(
      known,
      { ...judged, describe: () => ({ summary: '' }) },
      { atMs, windowMs: WINDOW_MS, recordedAt: new Date(atMs).toISOString(), late: false },
      {
        facts: noFacts('k'),
        effective: effectiveOf('latency', undefined),
        silencedUntilMs: undefined,
        inhibitedBy: undefined,
      },
    );
    if (!event) continue;
    known = knownAfter(event);
    rows.push(`${Number(hour.toFixed(1))} ${event.phase}${event.notify === '' ? '' : `, ${event.notify}`}`);
  }
  return rows;
}

const cases: [what: string, levelAt: (hour: number) => Level, rows: string[]][] = [
  [
    'known until it opened: it ends with the second day',
    (hour) => (hour === 0 ? 'breach' : 'no_data'),
    ['0 firing, opened', '24 recovering', '48 resolved, resolved'],
  ],
  [
    'known for a while: it ends when nothing was known for a whole day',
    (hour) => (hour < 30 ? 'breach' : 'no_data'),
    ['0 firing, opened', '24 firing, repeated', '48 recovering', '72 resolved, resolved'],
  ],
  [
    'it was about to end by itself',
    (hour) => (hour === 0 ? 'breach' : hour <= 1 / WINDOWS_PER_HOUR ? 'clear' : 'no_data'),
    ['0 firing, opened', '0.1 recovering', '24.1 resolved, resolved'],
  ],
  [
    'one window without data is no day',
    (hour) => (hour === 24 ? 'no_data' : 'breach'),
    ['0 firing, opened', '24 recovering', '24.1 firing, repeated', '48.1 firing, repeated', '72.1 firing, repeated'],
  ],
  [
    'known once in the second day: it lasts',
    (hour) => (hour === 0 || hour === 40 ? 'breach' : 'no_data'),
    ['0 firing, opened', '24 recovering', '40 firing, repeated', '64 recovering'],
  ],
];

test.each(cases)('an alert of which nothing is known: %s', (_, levelAt, rows) => {
  expect(judge(75, levelAt)).toEqual(rows);
});

const usual: Circumstances = {
  facts: noFacts('k'),
  effective: effectiveOf('traffic_anomaly', undefined),
  silencedUntilMs: undefined,
  inhibitedBy: undefined,
};

/** Rows of an alert that opens at noon and is clear from the next window on. */
function openAndEnd(evidence: Partial<AlertEvidence>, judged: Partial<Judged> = {}, then: Partial<Circumstances> = {}) {
  let known: KnownAlert | undefined;
  const noon = START + 12 * 3_600_000;
  const rows: AlertEvent[] = [];
  for (let window = 0; window <= 3; window++) {
    const atMs = noon + window * WINDOW_MS;
    const one = { kind: 'traffic_anomaly', scope: 'spike', keyId: 'k', severity: 'warning' } as const;
    const level: Level = window === 0 ? 'breach' : 'clear';
    const event = eventOfStep(
      known,
      { ...one, level, describe: () => ({ summary: 'Back to normal.', ...evidence }), ...(window > 0 && judged) },
      { atMs, windowMs: WINDOW_MS, recordedAt: '', late: false },
      { ...usual, ...(window > 0 && then) },
    );
    if (event) rows.push(event);
    if (event) known = knownAfter(event);
  }
  return rows;
}

test.each<[string, Partial<AlertEvidence>, string]>([
  ['a spike over three hours', { windowMinutes: 180 }, '09:00'],
  ['a silence', { windowMinutes: 120, direction: 'silence' }, '10:00'],
  ['one window', {}, '11:55'],
])('since when it holds is the start of its window, until it ends: %s', (_, evidence, since) => {
  const rows = openAndEnd(evidence);
  expect(rows.map((row) => row.transition)).toEqual(['opened', 'recovering', '', 'resolved']);
  for (const row of rows) {
    const { openedAt, since: told } = noticeOf(row, row.notify, undefined);
    expect([openedAt, told].map((at) => at.slice(11, 16))).toEqual(['12:00', since]);
  }
});

describe('why an alert is over', () => {
  const off = { ...usual.effective, enabled: false };
  test.each<[string, Partial<Judged>, Partial<Circumstances>]>([
    ['recovered', {}, {}],
    ['inactive', {}, { facts: { ...noFacts('k'), isActive: false } }],
    ['rule_off', {}, { effective: off }],
    ['rule_off', { isUnwanted: true }, {}],
  ])('%s: %j', (ended, judged, then) => {
    const { evidence } = openAndEnd({}, judged, then).at(-1)!;
    expect(evidence.ended).toBe(ended);
    expect(evidence.summary === 'Back to normal.').toBe(ended === 'recovered');
  });

  test('nothing was known of it for a day', () => {
    const [opened] = openAndEnd({});
    const judged = { kind: 'traffic_anomaly', scope: 'spike', keyId: 'k', severity: 'warning' } as const;
    let known = knownAfter(opened!);
    for (const day of [1, 2]) {
      const context = {
        atMs: Date.parse(opened!.at) + day * 86_400_000,
        windowMs: WINDOW_MS,
        recordedAt: '',
        late: false,
      };
      const event = eventOfStep(
        known,
        { ...judged, level: 'no_data', describe: () => ({ summary: '' }) },
        context,
        usual,
      );
      known = knownAfter(event!);
      expect(event!.evidence.ended).toBe(day === 1 ? undefined : 'unheard');
    }
  });

  test('what a rule does not ask for', () => {
    const asked = { keyId: 'k', facts: noFacts('k'), history: noHistory(), atMs: START };
    const errors = effectiveOf('error_rate', undefined);
    const settings = { ...errors.settings, scopes: ['server_errors'] };
    const judged = errorRate.judge({ ...asked, effective: { ...errors, settings } as Circumstances['effective'] });
    expect(judged.filter((one) => !one.isUnwanted).map((one) => one.scope)).toEqual(['server_errors']);
    const traffic = { ...usual.effective.settings, drop: false };
    const of = (change: object) =>
      trafficAnomaly
        .judge({ ...asked, effective: { ...usual.effective, settings: { ...traffic, ...change } } as never })
        .map((one) => `${one.scope} ${Boolean(one.isUnwanted)}`);
    // A silence is a drop.
    expect(of({})).toEqual(['spike false', 'drop false']);
    expect(of({ silence: false, spike: false })).toEqual(['spike true', 'drop true']);
  });
});
