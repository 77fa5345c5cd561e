import type { Random } from '../support/random.ts';

/** Processes that are killed or stopped. Of collectors and workers there are two each. */
export const TARGETS = ['collector-0', 'collector-1', 'worker-0', 'worker-1', 'api', 'redis', 'store'] as const;
export type Target = (typeof TARGETS)[number];

export type Fault =
  | { kind: 'kill'; target: Target; awayMs: number }
  | { kind: 'kill_workers'; awayMs: number }
  | { kind: 'stop'; target: Target; forMs: number }
  | { kind: 'store_down'; forMs: number }
  | { kind: 'store_slow'; delayMs: number; forMs: number }
  | { kind: 'cut_after_commit'; inserts: number; forMs: number }
  | { kind: 'cut_before'; inserts: number; forMs: number }
  | { kind: 'redis_full'; forMs: number }
  | { kind: 'disk_full'; forMs: number }
  | { kind: 'clock_step'; target: Target; stepMs: number; forMs: number };

export interface Step {
  /** Wait before the fault. */
  afterMs: number;
  fault: Fault;
}

export interface ScheduleOptions {
  /** kill -9 in the schedule. */
  kills: number;
  /** Longest outage of the store by the proxy. */
  storeDownMs: number;
  /** Whether the disk of Redis can be filled here. */
  diskFull: boolean;
}

/** Longer than the lock of a batch: another worker takes over what a stopped one holds. */
const LONG_STOP_MS = 13_000;
/** Faults while the first outage of the store lasts. */
const FAULTS_IN_OUTAGE = 5;

/** What happens in which order: the same seed gives the same list. About two other faults to three kills. */
export function scheduleOf(random: Random, { kills, storeDownMs, diskFull }: ScheduleOptions): Step[] {
  const steps: Step[] = [];
  let killed = 0;
  let elapsedMs = 0;
  let outage: { endsMs: number; step: number } | undefined;
  while (killed < kills) {
    const fault = random.next() < 0.6 ? killOf(random) : otherOf(random, storeDownMs, diskFull);
    if (fault.kind === 'kill' || fault.kind === 'kill_workers') killed += fault.kind === 'kill' ? 1 : 2;
    let afterMs = random.integer(100, 1_500);
    // A few faults meet the long outage, the others a system that has to catch up.
    if (outage && steps.length === outage.step + FAULTS_IN_OUTAGE) {
      afterMs = Math.max(afterMs, outage.endsMs - elapsedMs);
    }
    elapsedMs += afterMs;
    // The first outage is as long as an outage may be: a run that names a length has had it.
    if (fault.kind === 'store_down' && !outage) {
      fault.forMs = storeDownMs;
      outage = { endsMs: elapsedMs + storeDownMs, step: steps.length };
    }
    steps.push({ afterMs, fault });
  }
  return steps;
}

function killOf(random: Random): Fault {
  const awayMs = random.integer(0, 800);
  if (random.next() < 0.08) return { kind: 'kill_workers', awayMs };
  const target = random.pick<Target>([
    ...(['collector-0', 'collector-0', 'collector-1', 'collector-1', 'api', 'redis', 'redis', 'store'] as const),
    ...(['worker-0', 'worker-0', 'worker-0', 'worker-1', 'worker-1', 'worker-1'] as const),
  ]);
  return { kind: 'kill', target, awayMs };
}

function otherOf(random: Random, storeDownMs: number, diskFull: boolean): Fault {
  const kinds = ['stop', 'stop', 'store_down', 'store_slow', 'cut_after_commit', 'cut_after_commit', 'cut_before'];
  const kind = random.pick([...kinds, 'redis_full', 'clock_step', ...(diskFull ? ['disk_full'] : [])]);
  const forMs = random.integer(500, 3_000);
  switch (kind) {
    case 'store_down':
      return { kind, forMs: random.integer(500, storeDownMs) };
    case 'store_slow':
      return { kind, delayMs: random.integer(50, 800), forMs };
    case 'cut_after_commit':
    case 'cut_before':
      return { kind, inserts: random.integer(1, 4), forMs };
    case 'redis_full':
    case 'disk_full':
      return { kind, forMs };
    case 'clock_step': {
      const stepMs = random.integer(1_000, 60_000) * (random.next() < 0.5 ? -1 : 1);
      const target = random.pick<Target>(['collector-0', 'collector-1', 'worker-0', 'worker-1']);
      return { kind, target, stepMs, forMs };
    }
    default: {
      const long = random.next() < 0.15;
      const target = random.pick<Target>(long ? ['worker-0', 'worker-1'] : TARGETS);
      return { kind: 'stop', target, forMs: long ? LONG_STOP_MS : forMs };
    }
  }
}

export function describeFault(fault: Fault): string {
  const { kind, ...rest } = fault;
  return `${kind} ${Object.entries(rest)
    .map(([name, value]) => `${name}=${value}`)
    .join(' ')}`;
}
