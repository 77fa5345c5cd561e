/**
 * Questions asked when a season explains the series: is the value far from what this slot of the day (or week) showed, alone,
 * against the last residuals, or on average over an hour? The season is used only while it predicts clearly better than the
 * median of all values, judged on earlier rows alone.
 */
import { type Evidence, type Finding, Ranked } from './level-evidence.ts';
import { MovingMean } from './moving-mean.ts';

const MEAN_ROWS = 12;
const OFFSET_WEIGHT = 0.3;
/** Errors are averaged over some 330 rows: a day of 5-minute rows, two weeks of hours. */
const ERROR_WEIGHT = 0.003;

export class SeasonEvidence {
  private readonly alone = new Ranked();
  private readonly against = new Ranked();
  private readonly mean = new Ranked();
  private readonly meanRows = new MovingMean(MEAN_ROWS);
  private offset = 0;
  private rows = 0;
  /** Mean absolute error of the season and of the plain median over the same rows. */
  seasonError = 0;
  medianError = 0;

  /** Median of the absolute residuals so far. */
  get usualResidual(): number {
    return this.alone.usual;
  }

  /** Rows this season has been tested on. */
  get testedRows(): number {
    return this.rows;
  }

  /**
   * @param residual value minus what the season expects
   * @param deviation value minus the median of all values
   * @param range spread of ordinary values; one outlier may count no more than that as an error
   */
  judge(finding: Finding, residual: number, deviation: number, range: number, floor: number): Evidence[] {
    this.rows++;
    const weight = Math.max(ERROR_WEIGHT, 1 / this.rows);
    this.seasonError += weight * (Math.min(Math.abs(residual), range) - this.seasonError);
    this.medianError += weight * (Math.min(Math.abs(deviation), range) - this.medianError);
    const found = [
      { finding, surprise: this.alone.surprise(Math.abs(residual), floor), overWindow: false },
      { finding, surprise: this.against.surprise(Math.abs(residual - this.offset), floor), overWindow: false },
      {
        finding,
        surprise: this.mean.surprise(Math.abs(this.meanRows.push(residual)), floor),
        overWindow: true,
      },
    ];
    this.offset += OFFSET_WEIGHT * (residual - this.offset);
    return found;
  }
}
