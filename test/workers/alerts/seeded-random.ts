/**
 * Seeded random draws, so that a simulation with the same seed prints the same table on every machine.
 * The generator is mulberry32 (public domain, Tommy Ettinger): 32 bits of state, good enough for simulated traffic.
 */
export interface SeededRandom {
  /** Uniform in [0, 1). */
  uniform(): number;
  /** Standard normal (Box-Muller). */
  normal(): number;
  /** Gamma with the given shape and scale 1 (Marsaglia-Tsang). */
  gamma(shape: number): number;
  /** Poisson with the given mean; normal approximation above 50. */
  poisson(mean: number): number;
  /** Whole number in [low, high]. */
  integer(low: number, high: number): number;
  /** Uniform in [low, high). */
  between(low: number, high: number): number;
}

export function seededRandom(seed: number): SeededRandom {
  let state = (seed * 2654435761) >>> 0;
  const uniform = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
  const normal = (): number => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
  const gamma = (shape: number): number => {
    if (shape < 1) return gamma(shape + 1) * (1 - uniform()) ** (1 / shape);
    const d = shape - 1 / 3;
    const c = 1 / Math.sqrt(9 * d);
    for (;;) {
      const z = normal();
      const v = (1 + c * z) ** 3;
      if (v > 0 && Math.log(1 - uniform()) < 0.5 * z * z + d - d * v + d * Math.log(v)) return d * v;
    }
  };
  const poisson = (mean: number): number => {
    if (mean <= 0) return 0;
    if (mean > 50) return Math.max(0, Math.round(mean + Math.sqrt(mean) * normal()));
    const limit = Math.exp(-mean);
    let count = 0;
    for (let product = 1 - uniform(); product > limit; product *= 1 - uniform()) count++;
    return count;
  };
  return {
    uniform,
    normal,
    gamma,
    poisson,
    integer: (low, high) => low + Math.floor(uniform() * (high - low + 1)),
    between: (low, high) => low + uniform() * (high - low),
  };
}
