/**
 * Do so many keys fire together that the cause lies in the platform (deploy, outage, late data) and not in the keys? Then one
 * alert is opened for all, and those of the keys are inhibited by it. The guard lets go only at half the entry share.
 */
import type { Level } from '../state.ts';

export interface FleetVerdict {
  /** For the platform-wide alert's own state machine. */
  level: Level;
  firingKeys: number;
  activeKeys: number;
  share: number;
  /** Keys that a fleet of this size would show by chance. */
  expectedKeys: number;
}

export interface FleetSettings {
  minShare: number;
  /** In a small fleet one per cent is a single key; that is an alert of its own. */
  minKeys: number;
}

const FLEET_SETTINGS: FleetSettings = { minShare: 0.01, minKeys: 5 };
const EXIT_FACTOR = 0.5;
/** Chance alerts of one evaluation per key (docs/detectors.md). */
const CHANCE_PER_EVALUATION = 1e-5;

/**
 * @param firingKeys keys whose alert of this kind started within the last evaluations
 * @param activeKeys keys that were judged
 */
export function judgeFleet(
  firingKeys: number,
  activeKeys: number,
  { minShare, minKeys }: FleetSettings = FLEET_SETTINGS,
): FleetVerdict {
  const share = activeKeys > 0 ? firingKeys / activeKeys : 0;
  const enough = firingKeys >= minKeys;
  const level: Level =
    enough && share > minShare ? 'breach' : enough && share > EXIT_FACTOR * minShare ? 'hold' : 'clear';
  return { level, firingKeys, activeKeys, share, expectedKeys: activeKeys * CHANCE_PER_EVALUATION };
}
