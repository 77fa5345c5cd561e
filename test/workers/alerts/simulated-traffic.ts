/**
 * Traffic of one simulated key over eight weeks in five-minute buckets: office or machine hours, gamma-mixed Poisson noise,
 * cron bursts and growth, with at most one incident in the last two weeks. Not real data; see docs/detectors.md.
 */
import { type SeededRandom, seededRandom } from './seeded-random.ts';

export const BUCKETS_PER_DAY = 288;
export const BUCKETS_PER_WEEK = 7 * BUCKETS_PER_DAY;
export const HISTORY_WEEKS = 6;
export const WEEKS = 8;
export const HISTORY_BUCKETS = HISTORY_WEEKS * BUCKETS_PER_WEEK;
export const BUCKETS = WEEKS * BUCKETS_PER_WEEK;

export type IncidentKind = 'outage 1 h' | 'x2 6 h' | 'x20 30 min' | 'x5 30 min' | 'errors 50 % 30 min';

export const INCIDENTS: Record<IncidentKind, { buckets: number; factor: number; errorShare: number }> = {
  'outage 1 h': { buckets: 12, factor: 0, errorShare: 0 },
  'x2 6 h': { buckets: 72, factor: 2, errorShare: 0 },
  'x20 30 min': { buckets: 6, factor: 20, errorShare: 0 },
  'x5 30 min': { buckets: 6, factor: 5, errorShare: 0 },
  'errors 50 % 30 min': { buckets: 6, factor: 1, errorShare: 0.5 },
};
export const INCIDENT_KINDS = Object.keys(INCIDENTS) as IncidentKind[];

export interface Incident {
  kind: IncidentKind;
  first: number;
  last: number;
}

export interface SimulatedKey {
  /** Mean requests per bucket over the week, before growth. */
  rate: number;
  requests: Uint32Array;
  errors: Uint32Array;
  incident: Incident | null;
}

const RATE_MIN = 0.02;
const RATE_MAX = 500;
/** One key in three is meant to carry an incident, the five kinds in turn: of 2,000 keys about 400 are fast enough. */
const INCIDENT_EVERY = 3;
/** Incidents on slower keys are not counted: nobody can see them. */
const INCIDENT_RATE_MIN = 1;

interface Habit {
  shape: Float64Array;
  cronEvery: number;
  cronAt: number;
  cronSize: number;
  weeklyGrowth: number;
  bucketNoise: number;
  hourNoise: number;
  errorRatio: number;
}

/** Expected share of each bucket of the week, mean 1. */
function weekShape(random: SeededRandom): Float64Array {
  const shape = new Float64Array(BUCKETS_PER_WEEK);
  const office = random.uniform() < 0.5;
  const zone = random.integer(-8, 9);
  const [weekend, night, swing] = [random.between(0.05, 0.4), random.between(0.02, 0.2), random.between(0, 0.4)];
  let sum = 0;
  for (let at = 0; at < shape.length; at++) {
    const hour = ((at % BUCKETS_PER_DAY) / 12 + zone + 24) % 24;
    const day = Math.floor(at / BUCKETS_PER_DAY);
    const busy = night + Math.exp(-(((hour - 13) / 4) ** 2));
    shape[at] = office ? busy * (day >= 5 ? weekend : 1) : 1 + swing * Math.sin((2 * Math.PI * hour) / 24);
    sum += shape[at]!;
  }
  return shape.map((one) => (one * shape.length) / sum);
}

function habitOf(random: SeededRandom): Habit {
  const cron = random.uniform() < 0.3;
  return {
    shape: weekShape(random),
    cronEvery: random.uniform() < 0.5 ? 12 : BUCKETS_PER_DAY,
    cronAt: random.integer(0, 11),
    cronSize: cron ? random.between(2, 10) : 0,
    weeklyGrowth: random.between(-0.02, 0.05),
    bucketNoise: random.between(0.05, 0.4),
    hourNoise: random.between(0.02, 0.2),
    errorRatio: 10 ** random.between(-3, -1.5),
  };
}

/** A multiplier with mean 1 and this standard deviation. */
const wobble = (random: SeededRandom, deviation: number): number => {
  const shape = 1 / (deviation * deviation);
  return random.gamma(shape) / shape;
};

export function simulatedKey(seed: number, index: number): SimulatedKey {
  const random = seededRandom(seed * 1_000_003 + index);
  const rate = RATE_MIN * (RATE_MAX / RATE_MIN) ** random.uniform();
  const habit = habitOf(random);
  const incident = incidentOf(random, rate, index);
  const requests = new Uint32Array(BUCKETS);
  const errors = new Uint32Array(BUCKETS);
  let hour = 1;
  for (let at = 0; at < BUCKETS; at++) {
    if (at % 12 === 0) hour = wobble(random, habit.hourNoise);
    const cron = at % habit.cronEvery === habit.cronAt ? 1 + habit.cronSize : 1;
    const grown = (1 + habit.weeklyGrowth) ** (at / BUCKETS_PER_WEEK);
    const struck =
      incident !== null && at >= incident.first && at <= incident.last ? INCIDENTS[incident.kind] : undefined;
    const mean = rate * habit.shape[at % BUCKETS_PER_WEEK]! * hour * cron * grown * (struck?.factor ?? 1);
    const count = random.poisson(mean * wobble(random, habit.bucketNoise));
    requests[at] = count;
    // Errors clump: a caller that fails tends to fail again within the bucket.
    const ratio = Math.min(1, habit.errorRatio * wobble(random, 0.5) + (struck?.errorShare ?? 0));
    errors[at] = Math.min(count, binomial(random, count, ratio));
  }
  return { rate, requests, errors, incident };
}

function incidentOf(random: SeededRandom, rate: number, index: number): Incident | null {
  const first = random.integer(HISTORY_BUCKETS + 12, BUCKETS - 100);
  if (index % INCIDENT_EVERY !== 0 || rate < INCIDENT_RATE_MIN) return null;
  const kind = INCIDENT_KINDS[(index / INCIDENT_EVERY) % INCIDENT_KINDS.length]!;
  return { kind, first, last: first + INCIDENTS[kind].buckets - 1 };
}

function binomial(random: SeededRandom, count: number, share: number): number {
  if (count > 100) {
    const deviation = Math.sqrt(count * share * (1 - share));
    return Math.max(
      0,
      count * share < 10 ? random.poisson(count * share) : Math.round(count * share + deviation * random.normal()),
    );
  }
  let hits = 0;
  for (let one = 0; one < count; one++) if (random.uniform() < share) hits++;
  return hits;
}
