import type { ProblemError } from '../http/problem.ts';
import { missingWords } from './missing-words.ts';

export interface MissingComparisonProps {
  /** Of the line, e.g. "7 days before". */
  label: string;
  problem: ProblemError;
  onRetry: () => void;
}

/** Stands where the line of an earlier period would be explained. */
export function MissingComparison({ label, problem, onRetry }: MissingComparisonProps) {
  const { why, retry } = missingWords(problem);
  return (
    <div class="chart-notice" role="alert" data-testid="comparison-missing">
      <span>
        <strong>{label} could not be loaded.</strong> {why}
      </span>
      {retry && (
        <button type="button" class="quiet" onClick={onRetry}>
          Try again
        </button>
      )}
    </div>
  );
}
