import type { ComponentChildren } from 'preact';
import type { Resource } from '../http/use-resource.ts';
import { ProblemPanel } from './problem-panel.tsx';

interface PartProps<Answer> {
  of: Resource<Answer>;
  what: string;
  children: (answer: Answer, answeredAt: number) => ComponentChildren;
}

/** One panel with its own fate: it waits, fails or shows without the rest of the page. */
export function Part<Answer>({ of, what, children }: PartProps<Answer>) {
  if (of.problem) return <ProblemPanel what={what} problem={of.problem} onRetry={of.retry} />;
  if (of.data) return <>{children(of.data, of.answeredAt!)}</>;
  return (
    <div class="panel skeleton-table" aria-hidden="true">
      <i class="skeleton" />
    </div>
  );
}
