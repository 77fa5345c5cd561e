import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type AlertPhase,
  type AlertState,
  acknowledge,
  advance,
  DEFAULT_POLICY,
  initialState,
  type Level,
  type Measurement,
  type NotifyReason,
  type Severity,
  type StatePolicy,
  type WithheldBecause,
} from '../../../workers/alerts/state.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const B: Level = 'breach';
const H: Level = 'hold';
const C: Level = 'clear';
const N: Level = 'no_data';

type Extra = Partial<Omit<Measurement, 'atMs' | 'level'>>;

/** Feeds levels five minutes apart and returns the last step. */
function feed(from: AlertState, startMs: number, levels: Level[], extra: Extra = {}) {
  let step: ReturnType<typeof advance> = { next: from };
  const reasons: (NotifyReason | WithheldBecause)[] = [];
  levels.forEach((level, index) => {
    step = advance(step.next, { atMs: startMs + index * 5 * MINUTE, level, severity: 'warning', ...extra });
    const said = step.reason ?? step.withheld;
    if (said) reasons.push(said);
  });
  return { ...step, reasons };
}

const firing = feed(initialState(), HOUR, [B, B]).next;
const recovering = feed(firing, 2 * HOUR, [C]).next;
const resolved = feed(firing, 2 * HOUR, [C, C, C]).next;

interface Row {
  name: string;
  from: AlertState;
  levels: Level[];
  startMs?: number;
  extra?: Extra;
  phase: AlertPhase;
  says?: NotifyReason | WithheldBecause;
}

const rows: Row[] = [
  { name: 'OK -> OK: silent', from: initialState(), levels: [C], phase: 'ok' },
  { name: 'OK -> pending: silent', from: initialState(), levels: [B], phase: 'pending' },
  { name: 'pending -> firing: opened', from: initialState(), levels: [B, B], phase: 'firing', says: 'opened' },
  {
    name: 'pending, one clear, breach again -> firing: opened',
    from: initialState(),
    levels: [B, C, B],
    phase: 'firing',
    says: 'opened',
  },
  { name: 'pending, hold -> pending: silent', from: initialState(), levels: [B, H], phase: 'pending' },
  { name: 'pending, three clear -> OK: silent', from: initialState(), levels: [B, C, C, C], phase: 'ok' },
  { name: 'pending, no data -> pending: silent', from: initialState(), levels: [B, N], phase: 'pending' },
  {
    name: 'pending, no data, breach -> firing: opened',
    from: initialState(),
    levels: [B, N, B],
    phase: 'firing',
    says: 'opened',
  },
  { name: 'firing -> firing: silent', from: firing, levels: [B], phase: 'firing' },
  { name: 'firing, hold -> firing: silent', from: firing, levels: [H, H, H, H], phase: 'firing' },
  { name: 'firing, no data -> firing: silent', from: firing, levels: [N, N, N, N], phase: 'firing' },
  { name: 'firing, clear -> recovering: silent', from: firing, levels: [C], phase: 'recovering' },
  { name: 'recovering, breach -> firing: silent', from: recovering, levels: [B], startMs: 3 * HOUR, phase: 'firing' },
  {
    name: 'recovering, hold starts the count anew: silent',
    from: recovering,
    levels: [C, H, C, C],
    startMs: 3 * HOUR,
    phase: 'recovering',
  },
  { name: 'recovering -> resolved: resolved', from: firing, levels: [C, C, C], phase: 'resolved', says: 'resolved' },
  { name: 'resolved -> pending: silent', from: resolved, levels: [B], startMs: 4 * HOUR, phase: 'pending' },
  {
    name: 'resolved, pending, clear -> resolved: silent',
    from: resolved,
    levels: [B, C, C, C],
    startMs: 4 * HOUR,
    phase: 'resolved',
  },
  {
    name: 'resolved -> firing within the quiet period: withheld',
    from: resolved,
    levels: [B, B],
    startMs: 4 * HOUR,
    phase: 'firing',
    says: 'quiet',
  },
  {
    name: 'resolved -> firing within the quiet period, worse: severity raised',
    from: resolved,
    levels: [B, B],
    startMs: 4 * HOUR,
    extra: { severity: 'critical' },
    phase: 'firing',
    says: 'severity_raised',
  },
  {
    name: 'resolved -> firing after the quiet period: opened',
    from: resolved,
    levels: [B, B],
    startMs: 30 * HOUR,
    phase: 'firing',
    says: 'opened',
  },
  {
    name: 'firing, worse: severity raised',
    from: firing,
    levels: [B],
    extra: { severity: 'critical' },
    phase: 'firing',
    says: 'severity_raised',
  },
  { name: 'firing, milder: silent', from: firing, levels: [B], extra: { severity: 'info' }, phase: 'firing' },
  {
    name: 'firing for a day: repeated',
    from: firing,
    levels: [B],
    startMs: 26 * HOUR,
    phase: 'firing',
    says: 'repeated',
  },
  {
    name: 'acknowledged and firing for a day: silent',
    from: acknowledge(firing, 'ada', 90 * MINUTE),
    levels: [B],
    startMs: 26 * HOUR,
    phase: 'firing',
  },
  {
    name: 'acknowledged, worse: severity raised',
    from: acknowledge(firing, 'ada', 90 * MINUTE),
    levels: [B],
    extra: { severity: 'critical' },
    phase: 'firing',
    says: 'severity_raised',
  },
  {
    name: 'acknowledged -> resolved: resolved',
    from: acknowledge(firing, 'ada', 90 * MINUTE),
    levels: [C, C, C],
    phase: 'resolved',
    says: 'resolved',
  },
  {
    name: 'silenced -> firing: withheld',
    from: initialState(),
    levels: [B, B],
    extra: { silencedUntilMs: 9 * HOUR },
    phase: 'firing',
    says: 'silenced',
  },
  {
    name: 'silence over -> firing: opened',
    from: initialState(),
    levels: [B, B],
    extra: { silencedUntilMs: HOUR },
    phase: 'firing',
    says: 'opened',
  },
  {
    name: 'inhibited -> firing: withheld',
    from: initialState(),
    levels: [B, B],
    extra: { inhibitedBy: 'fleet' },
    phase: 'firing',
    says: 'inhibited',
  },
  {
    name: 'firing, inhibited -> resolved: resolved, for the opening was told',
    from: firing,
    levels: [C, C, C],
    extra: { inhibitedBy: 'fleet' },
    phase: 'resolved',
    says: 'resolved',
  },
  {
    name: 'firing, silenced -> resolved: told, for its opening was',
    from: firing,
    levels: [C, C, C],
    extra: { silencedUntilMs: 9 * HOUR },
    phase: 'resolved',
    says: 'resolved',
  },
];

describe('alert state', () => {
  it.each(rows)('$name', ({ from, levels, startMs, extra, phase, says }) => {
    const step = feed(from, startMs ?? 2 * HOUR, levels, extra);
    expect(step.next.phase).toBe(phase);
    expect(step.reason ?? step.withheld).toBe(says);
  });

  it('a silence that ends while firing is told then, and its end is told too', () => {
    const silenced = feed(initialState(), HOUR, [B, B], { silencedUntilMs: 2 * HOUR }).next;
    const after = feed(silenced, 2 * HOUR, [B, C, C, C]);
    expect(after.reasons).toEqual(['opened', 'resolved']);
  });

  it('recovery is not told to those who never heard of the opening', () => {
    const silenced = feed(initialState(), HOUR, [B, B], { silencedUntilMs: 9 * HOUR }).next;
    expect(feed(silenced, 2 * HOUR, [C, C, C]).reasons).toEqual([]);
  });

  it('an opening withheld by the quiet period is told once the period is over', () => {
    const again = feed(resolved, 4 * HOUR, [B, B]).next;
    expect(feed(again, 26 * HOUR, [B]).reasons).toEqual(['opened']);
  });

  /** On and off, window after window. */
  function flap(windows: number, policy: StatePolicy, from = initialState()) {
    const reasons: string[] = [];
    let state = from;
    for (let window = 0; window < windows; window++) {
      const level = window % 2 === 0 ? B : C;
      const atMs = Math.max(state.lastAtMs, 0) + MINUTE;
      const step = advance(state, { atMs, level, severity: 'warning' }, policy);
      state = step.next;
      if (step.reason) reasons.push(step.reason);
    }
    return { state, reasons };
  }
  const atOnce = { ...DEFAULT_POLICY, breaches: 1, ofLast: 1, clears: 1, quietMs: 0 };

  it('flapping is told once, at an opening, and then kept quiet; every opening that was told has its end', () => {
    const { state, reasons } = flap(40, atOnce);
    expect(reasons).toEqual(['opened', 'resolved', 'opened', 'resolved', 'flapping', 'resolved']);
    expect(state.flapping).toBe(true);
  });

  it('an alert that flaps while it is open ends once for those who heard of it', () => {
    const flapping = flap(11, atOnce).state;
    expect(flapping).toMatchObject({ phase: 'firing', flapping: true, announced: false });
    const worse = advance(flapping, { atMs: flapping.lastAtMs + MINUTE, level: B, severity: 'critical' }, atOnce);
    expect(worse.reason).toBe('severity_raised');
    const over = advance(worse.next, { atMs: worse.next.lastAtMs + MINUTE, level: C, severity: 'critical' }, atOnce);
    expect(over.reason).toBe('resolved');
    expect(flap(8, atOnce, over.next).reasons).toEqual([]);
  });

  it('an opening that makes it flap is told within the quiet period too, and so is its end', () => {
    const policy = { ...atOnce, quietMs: DEFAULT_POLICY.quietMs };
    let state = initialState();
    const reasons: (NotifyReason | WithheldBecause)[] = [];
    const lasting = Array.from({ length: 20 }, () => B);
    for (const level of [...lasting, C, B, C, B, C, B, C]) {
      const step = advance(state, { atMs: Math.max(state.lastAtMs, 0) + MINUTE, level, severity: 'warning' }, policy);
      state = step.next;
      const said = step.reason ?? step.withheld;
      if (said) reasons.push(said);
    }
    expect(reasons).toEqual(['opened', 'resolved', 'quiet', 'flapping', 'resolved', 'quiet']);
  });

  it('what settled may flap again, and is told again', () => {
    let { state } = flap(12, atOnce);
    for (let window = 0; window < 30; window++) state = feed(state, state.lastAtMs + 5 * MINUTE, [C]).next;
    expect(flap(12, atOnce, state).reasons).toEqual([
      'opened',
      'resolved',
      'opened',
      'resolved',
      'flapping',
      'resolved',
    ]);
  });

  it('a window judged twice or late changes nothing', () => {
    const repeat = advance(firing, { atMs: firing.lastAtMs, level: C, severity: 'critical' });
    expect(repeat).toEqual({ next: firing });
  });
});

describe('alert state, any history', () => {
  const level = fc.constantFrom<Level>(B, B, H, C, C, N);
  const severity = fc.constantFrom<Severity>('info', 'warning', 'critical');
  const isOpen = (phase: AlertPhase) => phase === 'firing' || phase === 'recovering';
  const OPENINGS: NotifyReason[] = ['opened', 'severity_raised', 'flapping'];
  const measured = fc.record({ level, severity, silenced: fc.boolean(), inhibited: fc.boolean() });

  it('survives a restart at every window, tells an end only after an opening, and always after one', () => {
    fc.assert(
      fc.property(fc.array(measured, { maxLength: 80 }), (history) => {
        let straight = initialState();
        let restarted = initialState();
        let open = false;
        history.forEach(({ level, severity, silenced, inhibited }, index) => {
          const atMs = index * 20 * MINUTE;
          const measurement: Measurement = { atMs, level, severity };
          if (silenced) measurement.silencedUntilMs = atMs + HOUR;
          if (inhibited) measurement.inhibitedBy = 'fleet';
          const step = advance(straight, measurement);
          const again = advance(JSON.parse(JSON.stringify(restarted)), measurement);
          expect(again).toEqual(step);
          const ends = isOpen(straight.phase) && !isOpen(step.next.phase);
          straight = step.next;
          restarted = again.next;
          if (step.reason !== undefined && OPENINGS.includes(step.reason)) open = true;
          if (step.reason === 'resolved') expect(open).toBe(true);
          if (ends && open) expect(step.reason ?? step.withheld).toBe('resolved');
          if (ends) open = false;
          if (step.reason !== 'resolved' && step.reason) expect([silenced, inhibited]).toEqual([false, false]);
        });
      }),
      { numRuns: 300 },
    );
  });
});
