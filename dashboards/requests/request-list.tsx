import type { RequestRow } from '../http/contract/usage.ts';
import type { Pages } from '../http/use-pages.ts';
import { ActionButton } from '../panels/action-button.tsx';
import { ProblemPanel } from '../panels/problem-panel.tsx';
import { RequestDrawer } from './request-drawer.tsx';
import { RequestsTable } from './requests-table.tsx';
import type { RequestFilterName } from './requests-view.ts';

interface RequestListProps {
  pages: Pages<RequestRow>;
  zone: string;
  /** Index of the row whose fields are shown. */
  open: number | null;
  onOpen: (index: number | null) => void;
  onFilter: (name: RequestFilterName, value: string) => void;
}

/** The loaded requests, the way to older ones, and one of them in full. */
export function RequestList({ pages, zone, open, onOpen, onFilter }: RequestListProps) {
  const { first, items, moreProblem, loadMore } = pages;
  if (first.problem) return <ProblemPanel what="The requests" problem={first.problem} onRetry={first.retry} />;
  const row = open === null ? undefined : items[open];
  return (
    <>
      <RequestsTable rows={first.data ? items : null} stale={first.loading} zone={zone} onOpen={onOpen} />
      {moreProblem && <ProblemPanel what="More requests" problem={moreProblem} onRetry={loadMore} />}
      {pages.more && (
        <ActionButton look="more" off={pages.loadingMore} onAct={loadMore}>
          {pages.loadingMore ? 'Loading…' : 'Show older requests'}
        </ActionButton>
      )}
      {row && open !== null && (
        <RequestDrawer
          row={row}
          zone={zone}
          position={[open, items.length]}
          onStep={(step) => onOpen(Math.max(0, Math.min(items.length - 1, open + step)))}
          onFilter={onFilter}
          onClose={() => onOpen(null)}
        />
      )}
    </>
  );
}
