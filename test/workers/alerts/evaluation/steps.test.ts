import { expect, test } from 'vitest';
import { type KnownAlert, knownAfter } from '../../../../workers/alerts/evaluation/event-store.ts';
import { noFacts } from '../../../../workers/alerts/evaluation/key-facts.ts';
import { eventOfStep } from '../../../../workers/alerts/evaluation/steps.ts';
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
