/** Relative accuracy of the sketches of every rollup: the first argument of `quantilesDD`. */
const ACCURACY = 0.01;
/** Each bin ends at so many times its start. */
const GAMMA = (1 + ACCURACY) / (1 - ACCURACY);

/**
 * The quantile that a sketch of ClickHouse stands for. A DDSketch (Masson, Rim, Lee, VLDB 2019) puts a value into bin
 * `ceil(log_gamma(value))`; ClickHouse 26.7 cuts the logarithm off towards zero instead of rounding it in one direction.
 * What lies below 1/gamma is therefore answered one bin too high, by 1 to 3 %, and the two bins around 1 are one. The states
 * are as they are, in every rollup: the answer is put right. Within 1 % then, and within 2.1 % from 0.98 to 1.02.
 *
 * @param answered a value of `quantilesDD(0.01, …)`, in any unit
 */
export function sketchValue(answered: number): number {
  // Bins lie at 0.99, 1.01 and 1.0304: the bounds are halfway between them.
  if (answered < 1) return answered / GAMMA;
  return answered < 1.02 ? 1 : answered;
}

/** The same as an expression of SQL. @param answered an expression that is never null */
export const sketchValueSql = (answered: string): string =>
  `multiIf(${answered} < 1, ${answered} * ${1 - ACCURACY} / ${1 + ACCURACY}, ${answered} < 1.02, 1, ${answered})`;
