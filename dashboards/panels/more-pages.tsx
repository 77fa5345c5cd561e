import type { Pages } from '../http/use-pages.ts';
import { ProblemPanel } from './problem-panel.tsx';

/** The way to the next page of a list. */
export function MorePages<Item>({ pages, what }: { pages: Pages<Item>; what: string }) {
  return (
    <>
      {pages.moreProblem && (
        <ProblemPanel what={`More (${what})`} problem={pages.moreProblem} onRetry={pages.loadMore} />
      )}
      {pages.more && (
        <button type="button" class="more" disabled={pages.loadingMore} onClick={pages.loadMore}>
          {pages.loadingMore ? 'Loading…' : `Show ${what}`}
        </button>
      )}
    </>
  );
}
