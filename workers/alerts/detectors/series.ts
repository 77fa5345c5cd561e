/**
 * The general detector for any real-valued series (latency, rate, ratio): asks several questions of each value, ranks every
 * answer in the series' own past and adds the surprises up. One call per row, in time order, looking only back.
 */
import { agreedSurprise } from './agreement.ts';
import { type Change, Confirmation } from './confirmation.ts';
import { importanceDecades } from './importance.ts';
import { type Evidence, LevelEvidence, PAST_ROWS } from './level-evidence.ts';
import { OpenOnce } from './open-once.ts';
import { SeasonEvidence } from './season-evidence.ts';
import { SeasonMemory } from './season-memory.ts';
import { SortedWindow } from './sorted-window.ts';

export interface SeriesVerdict {
  /** 0..1; high once when something opens, low while it lasts. */
  score: number;
  /** Decades of surprise behind the score, before pacing, after confirmation: 3 is about one false opening in a few hundred rows. */
  surprise: number;
  value: number;
  /** What was expected, in the units of the value; NaN before the first value. */
  expected: number;
  /** From which history, in words for a message. */
  baselineSpan: string;
  /** The strongest answers first. */
  evidence: Evidence[];
}

export interface SeriesDetector {
  /** @param value NaN for a blank cell: no verdict, no change */
  judge(timeSeconds: number, value: number): SeriesVerdict;
}

const DAY_SECONDS = 86_400;
const WARM_UP_ROWS = 60;
/** Rows whose distances settle the step of the series. */
const STEP_GAPS = 20;
/** A season must predict this much better than the plain median (and the week than the day) to be believed. */
const SEASON_GAIN = 0.7;
const WEEK_OVER_DAY_GAIN = 0.9;
/** Half a day of quiet after an opening unless something stronger comes. */
const QUIET_DAYS = 0.5;
const QUIET_MIN_ROWS = 12;
/** Keeps sums of squares and ratios finite; no measurement is larger. */
const LARGEST = 1e100;
/** Decades of surprise that make a score of 0.5. */
const HALF_SCORE = 3;

/** Creates a detector with no past. Not safe to share between series. */
export function seriesDetector(): SeriesDetector {
  let judge = new SeriesJudge(Math.sqrt, (root) => root * root);
  let negative = false;
  return {
    judge(timeSeconds, value) {
      if (!Number.isFinite(value)) return silent(value);
      if (value < 0 && !negative) {
        // Square roots steady the noise of counts and rates; a series with negative values is neither, and starts afresh.
        negative = true;
        judge = new SeriesJudge(
          (plain) => plain,
          (plain) => plain,
        );
      }
      return judge.judge(timeSeconds, Math.min(LARGEST, Math.max(-LARGEST, value)));
    },
  };
}

function silent(value: number): SeriesVerdict {
  return { score: 0, surprise: 0, value, expected: Number.NaN, baselineSpan: 'no value', evidence: [] };
}

/** What the season in force says; NaN while none is believed. */
interface Season {
  expected: number;
  usualResidual: number;
  span: string;
  evidence: Evidence[];
}

class SeriesJudge {
  private readonly values = new SortedWindow(PAST_ROWS);
  private readonly level = new LevelEvidence();
  private readonly daily = new SeasonEvidence();
  private readonly weekly = new SeasonEvidence();
  private readonly confirmation = new Confirmation();
  private readonly pacing = new OpenOnce();
  private readonly gapsSeconds: number[] = [];
  private memory: SeasonMemory | undefined;
  private rows = 0;
  private rowsPerDay = 24;
  private lastSeconds = Number.NaN;
  private readonly steady: (value: number) => number;
  private readonly unsteady: (value: number) => number;

  constructor(steady: (value: number) => number, unsteady: (value: number) => number) {
    this.steady = steady;
    this.unsteady = unsteady;
  }

  judge(timeSeconds: number, raw: number): SeriesVerdict {
    this.learnStep(timeSeconds);
    const value = this.steady(raw);
    const median = this.rows > 0 ? this.values.median : value;
    const range = this.rows > 0 ? this.values.quantile(0.99) - this.values.quantile(0.01) : 0;
    const floor = Math.max(range * 0.005, Math.abs(median) * 1e-6, 1e-12);
    const plainExpectation = this.rows > 0 ? this.level.expected : value;
    const season = this.seasonal(timeSeconds, value, median, range, floor);
    const evidence = [...this.level.judge(value, median, floor), ...season.evidence];
    const expectation = Number.isNaN(season.expected)
      ? { expected: plainExpectation, usualResidual: this.level.usualJump }
      : season;
    const importance = importanceDecades(
      { jump: Math.abs(value - plainExpectation), level: Math.abs(median), floor },
      { residual: Math.abs(value - expectation.expected), usual: expectation.usualResidual },
    );
    this.memory?.observe(timeSeconds, value);
    this.values.add(value);
    this.rows++;
    const change = { falls: value < expectation.expected, value: raw, median };
    const surprise = this.rows < WARM_UP_ROWS ? 0 : this.surpriseOf(evidence, importance, change);
    const said = this.pacing.let(surprise, Math.max(QUIET_MIN_ROWS, QUIET_DAYS * this.rowsPerDay));
    return {
      score: 1 - 2 ** (-said / HALF_SCORE),
      surprise,
      value: raw,
      expected: this.unsteady(expectation.expected),
      baselineSpan: season.span,
      evidence: evidence.filter((one) => one.surprise > 1).sort((a, b) => b.surprise - a.surprise),
    };
  }

  private surpriseOf(evidence: Evidence[], importance: number, change: Change): number {
    return this.confirmation.confirmed(agreedSurprise(evidence, importance, this.rows), change, this.rowsPerDay);
  }

  private learnStep(timeSeconds: number): void {
    if (timeSeconds > this.lastSeconds && this.gapsSeconds.length < STEP_GAPS) {
      this.gapsSeconds.push(timeSeconds - this.lastSeconds);
      if (this.gapsSeconds.length === STEP_GAPS) {
        const step = [...this.gapsSeconds].sort((a, b) => a - b)[STEP_GAPS >> 1]!;
        this.rowsPerDay = Math.max(24, DAY_SECONDS / step);
        this.memory = new SeasonMemory(step);
        this.level.startDrift(Math.round(Math.min(288, this.rowsPerDay / 2)));
      }
    }
    this.lastSeconds = timeSeconds;
  }

  private seasonal(timeSeconds: number, value: number, median: number, range: number, floor: number): Season {
    const none: Season = {
      expected: Number.NaN,
      usualResidual: Number.NaN,
      span: `the last ${Math.min(this.rows, PAST_ROWS)} values`,
      evidence: [],
    };
    const usual = this.memory?.expect(timeSeconds);
    if (!usual || Number.isNaN(usual.daily)) return none;
    const enough = this.rowsPerDay / 2;
    const deviation = value - median;
    let answer = none;
    const byDay = this.daily.judge('time of day', value - usual.daily, deviation, range, floor);
    if (this.daily.testedRows > enough && this.daily.seasonError < SEASON_GAIN * this.daily.medianError) {
      answer = {
        ...none,
        expected: usual.daily,
        usualResidual: this.daily.usualResidual,
        span: `this time of day on ${usual.days} earlier days`,
        evidence: byDay,
      };
    }
    if (Number.isNaN(usual.weekly)) return answer;
    const byWeek = this.weekly.judge('time of week', value - usual.weekly, deviation, range, floor);
    const better =
      this.weekly.seasonError < SEASON_GAIN * this.weekly.medianError &&
      this.weekly.seasonError < WEEK_OVER_DAY_GAIN * this.daily.seasonError;
    if (this.weekly.testedRows <= enough || !better) return answer;
    return {
      expected: usual.weekly,
      usualResidual: this.weekly.usualResidual,
      span: `this time of week in ${usual.weeks} earlier weeks`,
      evidence: byWeek,
    };
  }
}
