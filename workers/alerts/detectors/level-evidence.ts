/**
 * Questions asked of every series, with or without a season: is the value itself extreme, does it jump, has its level moved
 * over 4, 12, 48 rows or half a day, do surprises crowd, has it become rough? Each answer is ranked in its own past.
 */
import { MovingMean } from './moving-mean.ts';
import { SortedWindow } from './sorted-window.ts';
import { upperTailSurprise } from './tail-surprise.ts';

/** Rows of past each answer is ranked in: three weeks of 5-minute rows. */
export const PAST_ROWS = 6000;
const SHIFT_ROWS = [4, 12, 48] as const;
const CROWD_ROWS = 12;
const ROUGH_ROWS = 24;
/** Weights of the exponential means a jump, a shift and a drift are measured from. */
const JUMP_WEIGHT = 0.3;
const SHIFT_WEIGHT = 0.01;
const DRIFT_WEIGHT = 0.0015;
/** One wild row must not look like a crowd. */
const CROWD_CAP = 4;
const CROWD_FLOOR = 0.1;
/** The slow drift of half a day is the weakest evidence. */
const DRIFT_TRUST = 0.7;

export type Finding = 'extreme' | 'jump' | 'shift' | 'drift' | 'crowd' | 'rough' | 'time of day' | 'time of week';

export interface Evidence {
  finding: Finding;
  surprise: number;
  /** Said of the mean of several rows, which remembers what is over. */
  overWindow: boolean;
}

/** A statistic with the window it is ranked in. */
export class Ranked {
  private readonly past = new SortedWindow(PAST_ROWS);

  /** Median size in the past; NaN while there is none. */
  get usual(): number {
    return this.past.median;
  }

  surprise(size: number, floor: number): number {
    if (Number.isNaN(size)) return 0;
    const answer = upperTailSurprise(this.past, size, floor);
    this.past.add(size);
    return answer;
  }
}

export class LevelEvidence {
  private readonly extreme = new Ranked();
  private readonly jump = new Ranked();
  private readonly crowd = new Ranked();
  private readonly rough = new Ranked();
  private readonly drift = new Ranked();
  private readonly shifts = SHIFT_ROWS.map((rows) => ({ mean: new MovingMean(rows), ranked: new Ranked() }));
  private readonly crowdMean = new MovingMean(CROWD_ROWS);
  private readonly roughMean = new MovingMean(ROUGH_ROWS);
  private driftMean: MovingMean | undefined;
  private fast = Number.NaN;
  private slow = Number.NaN;
  private slowest = Number.NaN;

  /** What the next value is expected to be when nothing is known of a season. */
  get expected(): number {
    return this.fast;
  }

  /** Median of the absolute jumps so far. */
  get usualJump(): number {
    return this.jump.usual;
  }

  /** Half a day of rows is known only once the step of the series is. */
  startDrift(rows: number): void {
    this.driftMean = new MovingMean(rows);
  }

  judge(value: number, median: number, floor: number): Evidence[] {
    if (Number.isNaN(this.fast)) this.fast = this.slow = this.slowest = value;
    const residual = value - this.fast;
    const jump = this.jump.surprise(Math.abs(residual), floor);
    const crowd = this.crowdMean.push(Math.min(jump, CROWD_CAP));
    const found: Evidence[] = [
      { finding: 'extreme', surprise: this.extreme.surprise(Math.abs(value - median), floor), overWindow: false },
      { finding: 'jump', surprise: jump, overWindow: false },
      { finding: 'crowd', surprise: this.crowd.surprise(crowd, CROWD_FLOOR), overWindow: true },
      {
        finding: 'rough',
        surprise: this.rough.surprise(this.roughMean.push(Math.abs(residual)), floor),
        overWindow: true,
      },
    ];
    for (const { mean, ranked } of this.shifts) {
      const surprise = ranked.surprise(Math.abs(mean.push(value) - this.slow), floor);
      found.push({ finding: 'shift', surprise, overWindow: true });
    }
    if (this.driftMean) {
      const drift = Math.abs(this.driftMean.push(value) - this.slowest);
      found.push({ finding: 'drift', surprise: DRIFT_TRUST * this.drift.surprise(drift, floor), overWindow: true });
    }
    this.fast += JUMP_WEIGHT * residual;
    this.slow += SHIFT_WEIGHT * (value - this.slow);
    this.slowest += DRIFT_WEIGHT * (value - this.slowest);
    return found;
  }
}
