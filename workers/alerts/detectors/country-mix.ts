/**
 * Does this key's traffic suddenly come from elsewhere? Jensen-Shannon distance (square root of the divergence in bits, 0..1;
 * Lin 1991) between the countries of the last hour and of 28 days says how different the mix is; a G-test (2 sum O ln(O/E),
 * chi-squared) says that it is no accident of few requests.
 */
import type { Level } from '../state.ts';

export type Mix = ReadonlyMap<string, number>;

export interface MixVerdict {
  level: Level;
  distance: number;
  /** log10 of the chance of such a difference. */
  log10P: number;
  requests: number;
  /** The values that gained most, strongest first: share now and before. */
  gained: { value: string; share: number; usualShare: number }[];
  baselineSpan: string;
}

export interface MixSettings {
  minDistance: number;
  minRequests: number;
}

const MIX_SETTINGS: MixSettings = { minDistance: 0.3, minRequests: 200 };
const EXIT_SHARE = 2 / 3;
const LOG10_P_MAX = -6;
const GAINED_SHOWN = 3;
/** Added to every value, so that one never seen is merely rare. */
const PRIOR_REQUESTS = 0.5;

export function judgeCountryMix(
  now: Mix,
  usual: Mix,
  baselineSpan = 'the last 28 days',
  { minDistance, minRequests }: MixSettings = MIX_SETTINGS,
): MixVerdict {
  const requests = total(now);
  const values = [...new Set([...now.keys(), ...usual.keys()])];
  const usualTotal = total(usual) + PRIOR_REQUESTS * values.length;
  const shares = values.map((value) => ({
    value,
    share: requests > 0 ? (now.get(value) ?? 0) / requests : 0,
    usualShare: ((usual.get(value) ?? 0) + PRIOR_REQUESTS) / usualTotal,
  }));
  if (requests < minRequests || total(usual) < minRequests) {
    return { level: 'no_data', distance: 0, log10P: 0, requests, gained: [], baselineSpan };
  }
  const distance = jensenShannon(shares);
  const log10P = gTest(shares, requests);
  const breach = distance > minDistance && log10P < LOG10_P_MAX;
  const gained = shares
    .filter((one) => one.share > one.usualShare)
    .sort((a, b) => b.share - b.usualShare - (a.share - a.usualShare))
    .slice(0, GAINED_SHOWN);
  return {
    level: breach ? 'breach' : distance > EXIT_SHARE * minDistance ? 'hold' : 'clear',
    distance,
    log10P,
    requests,
    gained,
    baselineSpan,
  };
}

const total = (mix: Mix): number => [...mix.values()].reduce((sum, one) => sum + one, 0);

interface Share {
  share: number;
  usualShare: number;
}

/** Square root of the Jensen-Shannon divergence in bits: 0 the same, 1 nothing in common. */
export function jensenShannon(shares: readonly Share[]): number {
  let divergence = 0;
  for (const { share, usualShare } of shares) {
    const middle = (share + usualShare) / 2;
    if (share > 0) divergence += (share / 2) * Math.log2(share / middle);
    if (usualShare > 0) divergence += (usualShare / 2) * Math.log2(usualShare / middle);
  }
  return Math.sqrt(Math.max(0, divergence));
}

/** log10 of the upper tail of chi-squared for G, by Wilson and Hilferty's cube root. */
function gTest(shares: readonly Share[], requests: number): number {
  let g = 0;
  for (const { share, usualShare } of shares) if (share > 0) g += 2 * requests * share * Math.log(share / usualShare);
  return log10ChiSquaredTail(g, Math.max(1, shares.length - 1));
}

export function log10ChiSquaredTail(statistic: number, degrees: number): number {
  const width = 2 / (9 * degrees);
  const z = ((Math.max(0, statistic) / degrees) ** (1 / 3) - 1 + width) / Math.sqrt(width);
  return log10NormalTail(z);
}

/** log10 P(Z > z); Mills' ratio with its first correction beyond 3, where the plain formula would underflow. */
export function log10NormalTail(z: number): number {
  if (z > 3) return (-(z * z) / 2 - Math.log(z * Math.sqrt(2 * Math.PI)) + Math.log1p(-1 / (z * z))) / Math.LN10;
  const t = 1 / (1 + 0.2316419 * Math.abs(z));
  const series = t * (0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))));
  const tail = (Math.exp(-(z * z) / 2) / Math.sqrt(2 * Math.PI)) * series;
  return Math.log10(z >= 0 ? tail : 1 - tail);
}
