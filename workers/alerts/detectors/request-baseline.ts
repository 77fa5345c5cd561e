/**
 * What a key usually sends in five minutes at this hour, and how unsteady that is: the median over weeks of the hour's mean, so
 * that one incident does not move it, and two variances, one inside the hour and one between the weeks. A key with little
 * history climbs a ladder: hours of the day before hours of the week, and before that only its last day.
 */
export const BUCKET_MINUTES = 5;
export const BUCKETS_PER_HOUR = 12;

/** One hour of one earlier week (or day), empty buckets counted as zeros. */
export interface HourSample {
  /** Mean requests per five-minute bucket. */
  mean: number;
  /** Variance of the twelve buckets around that mean. */
  variance: number;
}

export type Rung = 'caps only' | 'last day' | 'hour of day' | 'hour of week';

export interface RequestBaseline {
  rung: Rung;
  /** Expected requests per bucket, growth not yet applied. */
  mean: number;
  /** Overdispersion inside the hour: variance / mean of a bucket, at least 1 (quasi-Poisson phi). */
  within: number;
  /** Variance of the hour's mean from week to week. */
  between: number;
  /** Hours the baseline was made from. */
  samples: number;
  /** In words for a message. */
  span: string;
}

const DAY_SHORT = 1;
const DAYS_HOUR_OF_DAY = 7;
const DAYS_HOUR_OF_WEEK = 28;
/** A key that is days old has not yet shown how unsteady it is. */
const LAST_DAY_WITHIN_MIN = 4;
/** Weight of the key's usual unsteadiness in samples: six weeks give five degrees of freedom, too few to trust alone. */
const USUAL_WEIGHT = 5;
/** A message has no use for a baseline below one request in four days; it also keeps divisions finite. */
const MEAN_FLOOR = 0.001;
/** Requests added to both sides of an hour's ratio, so that slow keys stay near 1. */
const GROWTH_PRIOR = 5;

/** Which samples a key of this age is judged by (Datadog asks for three seasons; Dynatrace waits seven days). */
export function rungFor(ageDays: number): Rung {
  if (ageDays < DAY_SHORT) return 'caps only';
  if (ageDays < DAYS_HOUR_OF_DAY) return 'last day';
  return ageDays < DAYS_HOUR_OF_WEEK ? 'hour of day' : 'hour of week';
}

const SPANS: Record<Rung, (samples: number) => string> = {
  'caps only': () => 'no history yet',
  'last day': (samples) => `the last ${samples} hours`,
  'hour of day': (samples) => `this hour on ${samples} similar days`,
  'hour of week': (samples) => `this hour in the last ${samples} weeks`,
};

/**
 * @param usualSpread the key's median over all hours of between-week variance / mean squared; steadies an hour whose own six
 *   weeks happened to agree
 */
export function requestBaseline(rung: Rung, samples: readonly HourSample[], usualSpread = 0): RequestBaseline {
  const mean = Math.max(MEAN_FLOOR, median(samples.map((one) => one.mean)));
  const ratios = samples.filter((one) => one.mean > 0).map((one) => one.variance / one.mean);
  const within = Math.max(rung === 'last day' ? LAST_DAY_WITHIN_MIN : 1, ratios.length > 0 ? median(ratios) : 1);
  const freedom = Math.max(0, samples.length - 1);
  const own = variance(samples.map((one) => one.mean));
  const steadied = (freedom * own + USUAL_WEIGHT * usualSpread * mean * mean) / (freedom + USUAL_WEIGHT);
  const between = usualSpread > 0 ? steadied : own;
  return { rung, mean, within, between, samples: samples.length, span: SPANS[rung](samples.length) };
}

/**
 * How much more a key sends than its baseline says, 0.5..2: the median over the last day's hours of actual / expected, weighted
 * by what was expected, so that a key that grows is judged by its new size and an hour of incident changes nothing.
 */
export function growth(hours: readonly { requests: number; expected: number }[]): number {
  const ranked = hours
    .filter((one) => one.expected > 0)
    .map((one) => ({ ratio: (one.requests + GROWTH_PRIOR) / (one.expected + GROWTH_PRIOR), weight: one.expected }))
    .sort((a, b) => a.ratio - b.ratio);
  let left = ranked.reduce((sum, one) => sum + one.weight, 0) / 2;
  for (const { ratio, weight } of ranked) {
    left -= weight;
    if (left <= 0) return Math.min(2, Math.max(0.5, ratio));
  }
  return 1;
}

export function median(values: readonly number[]): number {
  if (values.length === 0) return 0;
  const sorted = [...values].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2;
}

/** Sample variance; 0 with fewer than two values. */
export function variance(values: readonly number[]): number {
  if (values.length < 2) return 0;
  const mean = values.reduce((sum, one) => sum + one, 0) / values.length;
  return values.reduce((sum, one) => sum + (one - mean) ** 2, 0) / (values.length - 1);
}
