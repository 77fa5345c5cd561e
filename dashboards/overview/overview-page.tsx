import { useRef } from 'preact/hooks';
import { useTitle } from '../address/use-title.ts';
import { FirstRequest } from '../console/first-request.tsx';
import type { ApiClient } from '../http/client.ts';
import { usePolling } from '../http/use-polling.ts';
import { AsOf } from '../panels/as-of.tsx';
import { ProblemPanel } from '../panels/problem-panel.tsx';
import { RangeBar } from '../range-bar/range-bar.tsx';
import { useLive } from '../range-bar/use-live.ts';
import { usePeriod } from '../range-bar/use-period.ts';
import { useSearchKey } from '../range-bar/use-search-key.ts';
import type { TimeView } from '../time/time-view.ts';
import { KeySearch } from './key-search.tsx';
import { OverviewFigures } from './overview-figures.tsx';
import { useOverview } from './use-overview.ts';

interface OverviewPageProps {
  api: ApiClient;
  view: TimeView;
  onView: (view: TimeView) => void;
}

const FIRST_REQUEST_POLL_MS = 3_000;

/** The page to begin the day with: all keys together, and those that need somebody. */
export function OverviewPage({ api, view, onView }: OverviewPageProps) {
  const { now, span, refresh } = usePeriod(view, onView);
  const overview = useOverview(api, span, view.zone, now);
  const searchField = useRef<HTMLInputElement>(null);
  useSearchKey(searchField);
  useTitle('Overview');

  const { keys, statuses } = overview;
  const { answeredAt } = statuses;
  const untouched = keys.data?.data.length === 0;
  // Every part is asked anew with the keys: none may be dropped halfway.
  const loading = Object.values(overview).some((part) => part.loading);
  usePolling({ ...keys, loading, retry: refresh }, FIRST_REQUEST_POLL_MS, untouched);
  const old = useLive(view.live && !untouched, refresh, statuses, [{ loading }]);

  return (
    <main class="page">
      <div class="page-title">
        <h1>Overview</h1>
        {!untouched && <KeySearch field={searchField} />}
      </div>
      {untouched && keys.problem && <ProblemPanel what="The keys" problem={keys.problem} onRetry={refresh} />}
      {untouched ? (
        <FirstRequest />
      ) : (
        <div class="usage-tab">
          <RangeBar view={view} span={span} updating={statuses.loading} onView={onView} onRefresh={refresh} />
          {answeredAt && <AsOf old={old} answeredAt={answeredAt} onRetry={refresh} />}
          <OverviewFigures overview={overview} view={view} onView={onView} />
        </div>
      )}
    </main>
  );
}
