import type { ProblemError } from '../http/problem.ts';
import { ProblemPanel } from '../panels/problem-panel.tsx';
import { longestPreset } from '../time/range.ts';
import { hasFilter, type UsageView } from './view.ts';

interface UsageProblemProps {
  problem: ProblemError;
  view: UsageView;
  onView: (view: UsageView) => void;
  onRetry: () => void;
}

/** Filters read single requests, which are kept for a shorter time than counts: the way out is one click. */
export function UsageProblem({ problem, view, onView, onRetry }: UsageProblemProps) {
  if (problem.status !== 400 || problem.field !== 'from' || !hasFilter(view.filter)) {
    return <ProblemPanel what="The usage in this range" problem={problem} onRetry={onRetry} />;
  }
  const days = Number(/(\d+) days?/.exec(problem.detail)?.[1] ?? 0);
  const preset = longestPreset(days);
  return (
    <section class="panel notice" role="alert" data-testid="filter-too-old">
      <div>
        <strong>Filters do not reach back that far.</strong>{' '}
        {days > 0 ? `Single requests are kept for ${days} days, and a filter needs them.` : problem.detail} Counts
        without a filter go back further.
      </div>
      <div class="notice-actions">
        <button type="button" onClick={() => onView({ ...view, filter: {} })}>
          Drop the filter
        </button>
        {preset && (
          <button type="button" class="primary" onClick={() => onView({ ...view, bucket: 'auto', range: { preset } })}>
            Show the last {preset}
          </button>
        )}
      </div>
    </section>
  );
}
