/**
 * Rare is not yet important: decades of surprise added or taken because a change is large or small for people, first against the
 * level of the series, then against how far it usually strays from what is expected. Both are bounded, so that importance can
 * order what is rare but cannot make something ordinary an alert.
 */
const EFFECT_WEIGHT = 0.3;
/** A change of a third of the level neither adds nor takes. */
const EFFECT_NEUTRAL_DECADES = -0.5;
const EFFECT_MIN_DECADES = -1;
const EFFECT_MAX_DECADES = 0.5;
const STRENGTH_WEIGHT = 0.7;
/** Eight usual deviations neither add nor take. */
const STRENGTH_NEUTRAL = 8;
const STRENGTH_MAX_DECADES = 0.5;
/** Makes a median of absolute residuals the standard deviation of normal noise. */
const MEDIAN_TO_DEVIATION = 1.4826;
/** Keeps the logarithms finite. */
const SMALLEST = 0.01;

const within = (value: number, low: number, high: number): number => Math.min(high, Math.max(low, value));

/**
 * @param change size of the jump, the level it starts from and the smallest meaningful size
 * @param stray distance from the expectation and its usual (median) size, NaN while unknown
 */
export function importanceDecades(
  change: { jump: number; level: number; floor: number },
  stray: { residual: number; usual: number },
): number {
  const effect = Math.log10(change.jump / Math.max(change.level, change.floor) + SMALLEST) - EFFECT_NEUTRAL_DECADES;
  const usual = MEDIAN_TO_DEVIATION * (Number.isNaN(stray.usual) ? 0 : stray.usual);
  const strength = Math.log10(Math.max(stray.residual / Math.max(usual, change.floor), SMALLEST) / STRENGTH_NEUTRAL);
  return (
    EFFECT_WEIGHT * within(effect, EFFECT_MIN_DECADES, EFFECT_MAX_DECADES) +
    STRENGTH_WEIGHT * within(strength, -STRENGTH_MAX_DECADES, STRENGTH_MAX_DECADES)
  );
}
