/**
 * The life of one alert: pending -> firing -> recovering -> resolved, per (key, kind, scope).
 * `advance` is a pure function of the previous state, one measurement and the policy; time is the end of the judged window,
 * never the clock, so that judging missed windows after a restart gives the same answers. States are plain JSON.
 */
export type AlertPhase = 'ok' | 'pending' | 'firing' | 'recovering' | 'resolved';
export type Severity = 'info' | 'warning' | 'critical';

/** breach: beyond the entry threshold; hold: between exit and entry; clear: below the exit threshold; no_data: not known. */
export type Level = 'breach' | 'hold' | 'clear' | 'no_data';

export type NotifyReason = 'opened' | 'severity_raised' | 'repeated' | 'flapping' | 'resolved';
export type WithheldBecause = 'silenced' | 'inhibited' | 'quiet' | 'flapping';

export interface Measurement {
  /** End of the judged window in epoch milliseconds. */
  atMs: number;
  level: Level;
  severity: Severity;
  /** Silence in force for this alert, if any: its end. */
  silencedUntilMs?: number;
  /** Id of the stronger alert that explains this one, for example the platform-wide one. */
  inhibitedBy?: string;
}

export interface StatePolicy {
  /** Fire when this many of the last `ofLast` windows breached. */
  breaches: number;
  ofLast: number;
  /** Resolve after this many clear windows in a row. */
  clears: number;
  /** The same alert is not announced again within this time of its last announced opening, unless severity rises. */
  quietMs: number;
  /** A firing alert nobody acknowledged is repeated after this time; 0 never. */
  repeatMs: number;
}

const HOUR_MS = 3_600_000;

/** Two of three windows to open, three clear ones to close, a day of quiet: the settings measured in docs/detectors.md. */
export const DEFAULT_POLICY: StatePolicy = {
  breaches: 2,
  ofLast: 3,
  clears: 3,
  quietMs: 24 * HOUR_MS,
  repeatMs: 24 * HOUR_MS,
};

/** Flapping: this many turns between firing and not firing within this many windows (Kibana's default). */
const FLAPPING_TURNS = 4;
const FLAPPING_WINDOWS = 20;

export interface AlertState {
  phase: AlertPhase;
  severity: Severity;
  lastAtMs: number;
  /** Newest last: did the window breach, for as many windows as the policy looks at. */
  breached: boolean[];
  /** Newest last: did this window turn firing on or off. */
  turns: boolean[];
  clears: number;
  openedAtMs: number | null;
  /** Since when holds what the opening tells of: the start of its window. Absent where that is the opening, and in older rows. */
  sinceMs?: number;
  resolvedAtMs: number | null;
  /** When and how strongly people last heard of an opening or a rise; kept after resolving for the quiet period. */
  announcedAtMs: number | null;
  announcedSeverity: Severity | null;
  /** Whether people heard of this very opening; only then do they hear of its end. */
  announced: boolean;
  lastNotifiedAtMs: number | null;
  acknowledged: { by: string; atMs: number } | null;
  silencedUntilMs: number | null;
  inhibitedBy: string | null;
  flapping: boolean;
  /** Whether people heard that it goes on and off, since it began to; absent in older rows. */
  flappingTold?: boolean;
}

export interface Step {
  next: AlertState;
  /** Why people should hear of it now; absent when they should not. */
  reason?: NotifyReason;
  /** There was something to say and this kept it back. */
  withheld?: WithheldBecause;
}

export function initialState(): AlertState {
  return {
    phase: 'ok',
    severity: 'info',
    lastAtMs: Number.MIN_SAFE_INTEGER,
    breached: [],
    turns: [],
    clears: 0,
    openedAtMs: null,
    resolvedAtMs: null,
    announcedAtMs: null,
    announcedSeverity: null,
    announced: false,
    lastNotifiedAtMs: null,
    acknowledged: null,
    silencedUntilMs: null,
    inhibitedBy: null,
    flapping: false,
  };
}

const RANK: Record<Severity, number> = { info: 0, warning: 1, critical: 2 };
export const isLouder = (one: Severity, other: Severity): boolean => RANK[one] > RANK[other];
export const isOpen = (phase: AlertPhase): boolean => phase === 'firing' || phase === 'recovering';

/** One judged window. A window not newer than the last one changes nothing: repeats and late arrivals are harmless. */
export function advance(previous: AlertState, measured: Measurement, policy: StatePolicy = DEFAULT_POLICY): Step {
  if (measured.atMs <= previous.lastAtMs) return { next: previous };
  const silencedUntilMs = measured.silencedUntilMs ?? null;
  const inhibitedBy = measured.inhibitedBy ?? null;
  if (measured.level === 'no_data')
    return { next: { ...previous, lastAtMs: measured.atMs, silencedUntilMs, inhibitedBy } };
  const moved = move({ ...previous, lastAtMs: measured.atMs, silencedUntilMs, inhibitedBy }, measured, policy);
  const turned = isOpen(previous.phase) !== isOpen(moved.phase);
  const turns = [...previous.turns, turned].slice(-FLAPPING_WINDOWS);
  const flapping = turns.filter(Boolean).length >= FLAPPING_TURNS;
  return announce(previous, { ...moved, turns, flapping, flappingTold: flapping && !!previous.flappingTold }, policy);
}

/** The owner has seen it: no repeats until it resolves or grows worse. */
export function acknowledge(previous: AlertState, by: string, atMs: number): AlertState {
  return isOpen(previous.phase) ? { ...previous, acknowledged: { by, atMs } } : previous;
}

/** Where the alert stands after this window, before anyone is told. */
function move(state: AlertState, measured: Measurement, policy: StatePolicy): AlertState {
  const breach = measured.level === 'breach';
  const breached = [...state.breached, breach].slice(-policy.ofLast);
  const next: AlertState = { ...state, breached };
  if (isOpen(state.phase)) return moveOpen(next, measured, policy);
  if (breached.filter(Boolean).length >= policy.breaches && breach) {
    return {
      ...next,
      phase: 'firing',
      severity: measured.severity,
      openedAtMs: measured.atMs,
      clears: 0,
      announced: false,
    };
  }
  if (breach) return { ...next, phase: 'pending', severity: measured.severity };
  if (state.phase === 'pending' && !breached.some(Boolean))
    return { ...next, phase: state.resolvedAtMs === null ? 'ok' : 'resolved' };
  return next;
}

function moveOpen(state: AlertState, measured: Measurement, policy: StatePolicy): AlertState {
  if (measured.level === 'breach') {
    const severity = RANK[measured.severity] > RANK[state.severity] ? measured.severity : state.severity;
    return { ...state, phase: 'firing', severity, clears: 0 };
  }
  if (measured.level === 'hold') return { ...state, clears: 0 };
  const clears = state.clears + 1;
  if (clears < policy.clears) return { ...state, phase: 'recovering', clears };
  return { ...state, phase: 'resolved', clears: 0, breached: [], resolvedAtMs: measured.atMs, acknowledged: null };
}

/** Whether there is something to say, and whether something keeps it back. */
function announce(previous: AlertState, state: AlertState, policy: StatePolicy): Step {
  if (state.phase === 'resolved' && isOpen(previous.phase)) return announceEnd(state);
  if (state.phase !== 'firing') return { next: state };
  const reason = reasonToSpeak(state, policy);
  if (!reason) return { next: state };
  const startsFlapping = state.flapping && !previous.flapping;
  const withheld = suppressed(state) ?? (startsFlapping ? undefined : paced(state, reason, policy));
  if (withheld) return { next: state, withheld };
  const next: AlertState = { ...state, announced: true, lastNotifiedAtMs: state.lastAtMs };
  if (reason === 'severity_raised') next.acknowledged = null;
  if (reason !== 'repeated') {
    next.announcedAtMs = state.lastAtMs;
    next.announcedSeverity = state.severity;
  }
  if (!state.flapping || reason !== 'opened') return { next, reason };
  return { next: { ...next, flappingTold: true }, reason: 'flapping' };
}

/**
 * The end is told to those who heard of the opening, and of an alert that goes on and off only of such an opening. Nothing keeps
 * it back, a silence neither: whoever opened an incident for it must be able to close it.
 */
function announceEnd(state: AlertState): Step {
  if (!state.announced) return { next: state };
  return { next: { ...state, announced: false, lastNotifiedAtMs: state.lastAtMs }, reason: 'resolved' };
}

function reasonToSpeak(state: AlertState, policy: StatePolicy): NotifyReason | undefined {
  const louder = state.announcedSeverity !== null && RANK[state.severity] > RANK[state.announcedSeverity];
  const kept = withinQuiet(state, policy) || state.flapping;
  if (!state.announced) return louder && kept ? 'severity_raised' : 'opened';
  if (louder) return 'severity_raised';
  const due = policy.repeatMs > 0 && state.lastAtMs - (state.lastNotifiedAtMs ?? 0) >= policy.repeatMs;
  return due && !state.acknowledged ? 'repeated' : undefined;
}

function suppressed({ silencedUntilMs, lastAtMs, inhibitedBy }: AlertState): WithheldBecause | undefined {
  if (silencedUntilMs !== null && silencedUntilMs > lastAtMs) return 'silenced';
  return inhibitedBy === null ? undefined : 'inhibited';
}

function paced(state: AlertState, reason: NotifyReason, policy: StatePolicy): WithheldBecause | undefined {
  if (reason === 'severity_raised') return undefined;
  if (reason === 'opened' && withinQuiet(state, policy)) return 'quiet';
  return state.flapping && state.flappingTold ? 'flapping' : undefined;
}

const withinQuiet = ({ announcedAtMs, lastAtMs }: AlertState, { quietMs }: StatePolicy): boolean =>
  announcedAtMs !== null && lastAtMs - announcedAtMs < quietMs;

/** Whether an opening of this severity is still kept quiet by the one that was announced before it. */
export function isQuiet(before: AlertState, severity: Severity, atMs: number, quietMs: number): boolean {
  const { announcedAtMs, announcedSeverity } = before;
  if (quietMs === 0 || announcedAtMs === null || atMs - announcedAtMs >= quietMs) return false;
  return announcedSeverity === null || !isLouder(severity, announcedSeverity);
}
