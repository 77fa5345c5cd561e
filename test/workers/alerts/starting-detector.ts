/**
 * The detector this work started from, for comparison only: hour of week (hour of day, last day) medians with overdispersion, an
 * Anscombe score, two of three rows, and 24 hours of quiet. The ladder and thresholds are those of the production count rules.
 */
const HOUR_SECONDS = 3600;
const DAY_HOURS = 24;

interface HourStat {
  mean: number;
  variance: number;
}

export function startingDetector(): { judge(timeSeconds: number, value: number): { score: number } } {
  const hours = new Map<number, HourStat>();
  let current = Number.NaN;
  let values: number[] = [];
  let last: number[] = [];
  let openedAt = Number.NEGATIVE_INFINITY;
  let openedZ = 0;

  const samples = (hour: number): HourStat[] => {
    const pick = (stride: number, most: number): HourStat[] =>
      Array.from({ length: most }, (_, back) => hours.get(hour - (back + 1) * stride)).filter(
        (one) => one !== undefined,
      );
    const weeks = pick(7 * DAY_HOURS, 6);
    if (weeks.length >= 4) return weeks;
    const days = pick(DAY_HOURS, 14);
    return days.length >= 7 ? days : pick(1, DAY_HOURS);
  };

  const score = (value: number, past: HourStat[]): number => {
    if (past.length < 6) return 0;
    const means = past.map((one) => one.mean).sort((a, b) => a - b);
    const mu = Math.max(means[means.length >> 1]!, 1e-9);
    const average = means.reduce((sum, one) => sum + one, 0) / means.length;
    const between = means.reduce((sum, one) => sum + (one - average) ** 2, 0) / (means.length - 1);
    const within = past.map((one) => one.variance / Math.max(one.mean, 1e-9)).sort((a, b) => a - b)[past.length >> 1]!;
    // Values are no counts: the unit is free, so overdispersion has no floor of 1, only one relative to the level.
    const phi = Math.max(within + between / mu, mu * 1e-4);
    return (2 * (Math.sqrt(Math.max(value, 0)) - Math.sqrt(mu))) / Math.sqrt(phi);
  };

  return {
    judge(timeSeconds, value) {
      if (!Number.isFinite(value)) return { score: 0 };
      const hour = Math.floor(timeSeconds / HOUR_SECONDS);
      if (hour !== current) {
        if (values.length > 0) {
          const mean = values.reduce((sum, one) => sum + one, 0) / values.length;
          const squares = values.reduce((sum, one) => sum + (one - mean) ** 2, 0);
          hours.set(current, { mean, variance: squares / Math.max(1, values.length - 1) });
        }
        current = hour;
        values = [];
      }
      const z = score(value, samples(hour));
      values.push(value);
      last = [...last, z].slice(-3);
      const second = Math.abs(last.filter((one) => one * z > 0).sort((a, b) => Math.abs(b) - Math.abs(a))[1] ?? 0);
      const quiet = timeSeconds - openedAt < DAY_HOURS * HOUR_SECONDS && second <= openedZ * 1.3;
      if (quiet) return { score: 0 };
      if (second > 3) {
        openedAt = timeSeconds;
        openedZ = second;
      }
      return { score: 1 - 2 ** (-second / 6) };
    },
  };
}
