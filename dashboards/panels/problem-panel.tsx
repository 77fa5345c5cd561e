import type { ProblemError } from '../http/problem.ts';

interface ProblemPanelProps {
  what: string;
  problem: ProblemError;
  onRetry: () => void;
}

/** Asking again does not change what a token may do. */
const FORBIDDEN = 403;

/** One part failed to load; it says so in its own place, and the rest of the page stays. */
export function ProblemPanel({ what, problem, onRetry }: ProblemPanelProps) {
  return (
    <div class="panel problem" role="alert">
      <div>
        <strong>{what} could not be loaded.</strong> {problem.message}
        {problem.detail && <p>{problem.detail}</p>}
      </div>
      {problem.status !== FORBIDDEN && (
        <button type="button" onClick={onRetry}>
          Try again
        </button>
      )}
    </div>
  );
}
