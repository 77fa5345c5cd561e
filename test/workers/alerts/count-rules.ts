/** The rules a simulated key is judged by: naive ones as people write them, the starting point, and the detectors. */
import { type ErrorBucket, judgeErrorRatio, wilsonLowerBound } from '../../../workers/alerts/detectors/error-ratio.ts';
import {
  growth,
  type HourSample,
  median,
  type RequestBaseline,
  requestBaseline,
  variance,
} from '../../../workers/alerts/detectors/request-baseline.ts';
import {
  type CountWindow,
  countWindow,
  judgeRequestRate,
  type RateBucket,
} from '../../../workers/alerts/detectors/request-rate.ts';
import { judgeSilence } from '../../../workers/alerts/detectors/silence.ts';
import {
  type AlertState,
  advance,
  DEFAULT_POLICY,
  initialState,
  type Level,
  type StatePolicy,
} from '../../../workers/alerts/state.ts';
import {
  BUCKETS,
  BUCKETS_PER_DAY,
  BUCKETS_PER_WEEK,
  HISTORY_BUCKETS,
  HISTORY_WEEKS,
  type SimulatedKey,
} from './simulated-traffic.ts';

export type RuleName =
  | '> 3x 7-day mean'
  | 'hour of week, Poisson z > 5'
  | 'hour of week, phi, z > 4, 2 of 3, 24 h quiet'
  | 'request rate + silence'
  | 'errors > 10 % and >= 20 requests'
  | 'Wilson, 2 of 3, 24 h quiet'
  | 'error ratio';

export const TRAFFIC_RULES: RuleName[] = [
  '> 3x 7-day mean',
  'hour of week, Poisson z > 5',
  'hour of week, phi, z > 4, 2 of 3, 24 h quiet',
  'request rate + silence',
];
export const ERROR_RULES: RuleName[] = [
  'errors > 10 % and >= 20 requests',
  'Wilson, 2 of 3, 24 h quiet',
  'error ratio',
];

const HOUR = 12;
const BUCKET_MS = 300_000;
const LONGEST = 36;
const AGE_DAYS = 42;
/** Every window decides for itself inside the detector, so the state machine opens at its first word. */
const AT_ONCE = { ...DEFAULT_POLICY, breaches: 1, ofLast: 1 };

/** Buckets in which people would have been told, per rule. */
export type Openings = Record<RuleName, number[]>;

/** State machines of one key, made when first asked. */
class Machines {
  readonly opened = Object.fromEntries(
    [...TRAFFIC_RULES, ...ERROR_RULES].map((name) => [name, [] as number[]]),
  ) as Openings;
  private readonly states = new Map<string, AlertState>();

  /** Advances one machine and notes an opening under its rule. */
  step(rule: RuleName, bucket: number, level: Level, policy: StatePolicy, scope = ''): void {
    const answer = advance(
      this.states.get(rule + scope) ?? initialState(),
      { atMs: (bucket + 1) * BUCKET_MS, level, severity: 'warning' },
      policy,
    );
    this.states.set(rule + scope, answer.next);
    if (answer.reason === 'opened') this.opened[rule].push(bucket);
  }
}

export function openingsOf(key: SimulatedKey): Openings {
  const machines = new Machines();
  const history = new KeyHistory(key);
  for (let bucket = HISTORY_BUCKETS; bucket < BUCKETS; bucket++) {
    const recent = history.recent(bucket);
    naiveTraffic(machines, bucket, recent, history.weekMean(bucket));
    traffic(machines, bucket, recent);
    errors(machines, bucket, history.errorsUpTo(bucket), history.usualErrors);
  }
  return machines.opened;
}

function naiveTraffic(machines: Machines, bucket: number, recent: RateBucket[], weekMean: number): void {
  const now = anscombe(countWindow(recent.slice(-1)));
  if (now.requests > 3 * weekMean) machines.opened['> 3x 7-day mean'].push(bucket);
  const poisson = now.z * Math.sqrt(now.dispersion);
  if (Math.abs(poisson) > 5) machines.opened['hour of week, Poisson z > 5'].push(bucket);
  const breach = Math.abs(now.z) > 4 && Math.max(now.requests, now.expected) >= 20;
  const level: Level = breach ? 'breach' : Math.abs(now.z) < 2.5 ? 'clear' : 'hold';
  machines.step('hour of week, phi, z > 4, 2 of 3, 24 h quiet', bucket, level, DEFAULT_POLICY);
}

/** Spikes and drops are alerts of their own; what only the digest would show does not open. */
function traffic(machines: Machines, bucket: number, recent: RateBucket[]): void {
  const rate = judgeRequestRate(recent);
  const silence = judgeSilence(recent, AGE_DAYS);
  const level = rate.digestOnly && rate.level === 'breach' ? 'hold' : rate.level;
  const spike: Level = level === 'breach' && rate.direction === 'drop' ? 'hold' : level;
  const quieter: Level = level === 'breach' && rate.direction === 'spike' ? 'hold' : level;
  machines.step('request rate + silence', bucket, spike, AT_ONCE, 'spike');
  machines.step('request rate + silence', bucket, silence.level === 'breach' ? 'breach' : quieter, AT_ONCE, 'drop');
}

function errors(machines: Machines, bucket: number, recent: ErrorBucket[], usual: number): void {
  const now = recent.at(-1)!;
  if (now.errors > 0.1 * now.requests && now.requests >= 20)
    machines.opened['errors > 10 % and >= 20 requests'].push(bucket);
  const bound = wilsonLowerBound(now.errors, now.requests, 3);
  const level: Level = now.errors >= 5 && bound > Math.max(0.05, 3 * usual) ? 'breach' : 'clear';
  machines.step('Wilson, 2 of 3, 24 h quiet', bucket, level, DEFAULT_POLICY);
  machines.step('error ratio', bucket, judgeErrorRatio(recent, usual, 'the last 28 days').level, AT_ONCE);
}

/** The starting point's score: square roots and overdispersion. */
function anscombe(window: CountWindow): CountWindow {
  const roots = 2 * (Math.sqrt(window.requests + 0.375) - Math.sqrt(window.expected + 0.375));
  return { ...window, z: roots / Math.sqrt(window.dispersion) };
}

/** What the rollups and the hourly baseline would hand the detectors, recomputed as time passes. */
class KeyHistory {
  readonly usualErrors: number;
  private readonly key: SimulatedKey;
  private readonly sums: Float64Array;
  private readonly baselines = new Map<number, RequestBaseline>();
  private readonly usualSpread: number;
  private grown = 1;
  private readonly buckets: RateBucket[] = [];

  constructor(key: SimulatedKey) {
    this.key = key;
    this.sums = new Float64Array(BUCKETS + 1);
    for (let at = 0; at < BUCKETS; at++) this.sums[at + 1] = this.sums[at]! + key.requests[at]!;
    this.usualSpread = this.spread();
    const from = HISTORY_BUCKETS - 28 * BUCKETS_PER_DAY;
    let errors = 0;
    for (let at = from; at < HISTORY_BUCKETS; at++) errors += key.errors[at]!;
    this.usualErrors = (errors + 1) / (this.sums[HISTORY_BUCKETS]! - this.sums[from]! + 50);
    for (let at = HISTORY_BUCKETS - LONGEST; at < HISTORY_BUCKETS; at++) {
      this.buckets.push({ requests: key.requests[at]!, baseline: this.baseline(at), growth: 1 });
    }
  }

  weekMean(bucket: number): number {
    return (this.sums[bucket]! - this.sums[bucket - BUCKETS_PER_WEEK]!) / BUCKETS_PER_WEEK;
  }

  recent(bucket: number): RateBucket[] {
    if (bucket % HOUR === 0) this.grown = this.growthUpTo(bucket);
    const grown = this.grown;
    const baseline = this.baseline(bucket);
    this.buckets.shift();
    this.buckets.push({ requests: this.key.requests[bucket]!, baseline, growth: grown });
    return this.buckets;
  }

  private growthUpTo(bucket: number): number {
    const hours = [];
    for (let at = bucket - BUCKETS_PER_DAY; at < bucket; at += HOUR) {
      hours.push({ requests: this.sums[at + HOUR]! - this.sums[at]!, expected: HOUR * this.baseline(at).mean });
    }
    return growth(hours);
  }

  errorsUpTo(bucket: number): { requests: number; errors: number }[] {
    const found = [];
    for (let at = bucket - HOUR + 1; at <= bucket; at++)
      found.push({ requests: this.key.requests[at]!, errors: this.key.errors[at]! });
    return found;
  }

  private sample(hourStart: number): HourSample {
    const mean = (this.sums[hourStart + HOUR]! - this.sums[hourStart]!) / HOUR;
    let squares = 0;
    for (let at = hourStart; at < hourStart + HOUR; at++) squares += (this.key.requests[at]! - mean) ** 2;
    return { mean, variance: squares / (HOUR - 1) };
  }

  private samples(hourStart: number): HourSample[] {
    const found: HourSample[] = [];
    for (let week = 1; week <= HISTORY_WEEKS; week++) {
      const start = hourStart - week * BUCKETS_PER_WEEK;
      if (start >= 0) found.push(this.sample(start));
    }
    return found;
  }

  private baseline(bucket: number): RequestBaseline {
    const hour = bucket - (bucket % HOUR);
    const known = this.baselines.get(hour);
    if (known) return known;
    const made = requestBaseline('hour of week', this.samples(hour), this.usualSpread);
    this.baselines.set(hour, made);
    return made;
  }

  /** Median over the hours of the week of between-week variance / mean squared, the Poisson share taken off. */
  private spread(): number {
    const found: number[] = [];
    for (let hour = HISTORY_BUCKETS; hour < HISTORY_BUCKETS + BUCKETS_PER_WEEK; hour += HOUR) {
      const means = this.samples(hour).map((one) => one.mean);
      const mean = median(means);
      if (mean > 0) found.push(Math.max(0, variance(means) - mean / HOUR) / (mean * mean));
    }
    return median(found);
  }
}
