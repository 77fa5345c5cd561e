import type { Pages } from '../http/use-pages.ts';
import { ActionButton } from './action-button.tsx';
import { ProblemPanel } from './problem-panel.tsx';

/** The way to the next page of a list. */
export function MorePages<Item>({ pages, what }: { pages: Pages<Item>; what: string }) {
  return (
    <>
      {pages.moreProblem && (
        <ProblemPanel what={`More (${what})`} problem={pages.moreProblem} onRetry={pages.loadMore} />
      )}
      {pages.more && (
        <ActionButton look="more" off={pages.loadingMore} onAct={pages.loadMore}>
          {pages.loadingMore ? 'Loading…' : `Show ${what}`}
        </ActionButton>
      )}
    </>
  );
}
