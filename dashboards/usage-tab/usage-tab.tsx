import type { ComponentChildren } from 'preact';
import { useCallback, useEffect, useMemo } from 'preact/hooks';
import type { ChartMark } from '../charts/mark-groups.ts';
import type { ApiClient } from '../http/client.ts';
import type { ApiKey } from '../http/contract/keys.ts';
import { AsOf } from '../panels/as-of.tsx';
import { FilterPills } from '../panels/filter-pills.tsx';
import { loadMap } from '../panels/geography.tsx';
import { ProblemPanel } from '../panels/problem-panel.tsx';
import { BucketSelect } from '../range-bar/bucket-select.tsx';
import { RangeBar } from '../range-bar/range-bar.tsx';
import { useLive } from '../range-bar/use-live.ts';
import { usePeriod } from '../range-bar/use-period.ts';
import { KeyCards } from './key-cards.tsx';
import { KeyHead } from './key-head.tsx';
import { MissingKey } from './missing-key.tsx';
import { RangeCards } from './range-cards.tsx';
import { RecentRequests } from './recent-requests.tsx';
import { FiguresSkeleton, loadCharts, UsageFigures } from './usage-figures.tsx';
import { UsageProblem } from './usage-problem.tsx';
import { useMarks } from './use-marks.ts';
import { type UsageAnswers, useUsage } from './use-usage.ts';
import { FILTERS, toggleFilter, type UsageFilter, type UsageView, withFittingBucket } from './view.ts';

export interface UsageTabProps {
  api: ApiClient;
  keyId: string;
  view: UsageView;
  onView: (view: UsageView) => void;
  onKey?: (key: ApiKey) => void;
  /** Link to all requests under this view; a page that embeds the tab has none. */
  allRequests?: (view: UsageView) => ComponentChildren;
  /** Address of an alert; a page that embeds the tab has none. Must stay the same function. */
  alertHref?: (alertId: string) => string;
  /** False inside a foreign page, whose arrow keys are its own. */
  pageKeys?: boolean;
}

/** Everything about one key. It knows neither the address bar nor the session, so any page can hold it. */
export function UsageTab({ api, keyId, view, onView, onKey, allRequests, alertHref, pageKeys }: UsageTabProps) {
  const { now, span, refresh } = usePeriod(view, onView, { pageKeys });
  const answers = useUsage({ api, keyId, view, span, now });
  const { key, usage, comparison, recent } = answers;
  const { marks, loading } = useMarks({ api, keyId, span, zone: view.zone, now, alertHref });
  const old = useLive(view.live, refresh, usage, [key, comparison, recent, { loading }]);
  useEffect(() => {
    // Fetched beside the figures instead of after them.
    loadCharts().catch(() => undefined);
    loadMap().catch(() => undefined);
  }, []);
  useEffect(() => {
    if (key.data) onKey?.(key.data);
  }, [key.data, onKey]);

  if (key.problem?.status === 404) return <MissingKey keyId={keyId} />;
  return (
    <div class="usage-tab">
      <KeyHead keyId={keyId} apiKey={key.data} zone={view.zone} now={now} />
      {key.problem ? (
        <ProblemPanel what="The key" problem={key.problem} onRetry={key.retry} />
      ) : (
        <KeyCards apiKey={key.data} zone={view.zone} now={now} />
      )}
      <RangeBar
        view={view}
        span={span}
        updating={usage.loading}
        onView={(next) => onView(withFittingBucket(next, now))}
        onRefresh={refresh}
      >
        <BucketSelect
          choice={view.bucket}
          chosen={usage.data?.bucket ?? null}
          length={span.to - span.from}
          onChoice={(bucket) => onView({ ...view, bucket })}
        />
        <CompareButton view={view} onView={onView} />
      </RangeBar>
      {usage.answeredAt && <AsOf old={old} answeredAt={usage.answeredAt} onRetry={refresh} />}
      <FilterPills filter={view.filter} order={FILTERS} onFilter={(filter) => onView({ ...view, filter })} />
      <div class={usage.loading && usage.data ? 'figures figures-stale' : 'figures'} aria-busy={usage.loading}>
        <RangeUsage answers={answers} marks={marks} view={view} onView={onView} />
        <RecentRequests recent={recent} zone={view.zone} allLink={allRequests?.(view)} />
      </div>
    </div>
  );
}

type ViewProps = Pick<UsageTabProps, 'view' | 'onView'>;

function CompareButton({ view, onView }: ViewProps) {
  return (
    <button
      type="button"
      aria-pressed={view.compare}
      title="Draw the same time some days before"
      onClick={() => onView({ ...view, compare: !view.compare })}
    >
      Compare
    </button>
  );
}

interface RangeUsageProps extends ViewProps {
  answers: UsageAnswers;
  marks: readonly ChartMark[];
}

function RangeUsage({ answers, marks, view, onView }: RangeUsageProps) {
  const { usage, comparison } = answers;
  const limits = answers.key.data?.limits ?? null;
  const onZoom = useCallback(
    (from: number, to: number) => onView({ ...view, live: false, bucket: 'auto', range: { from, to } }),
    [view, onView],
  );
  const onToggle = useCallback(
    (change: UsageFilter) => onView({ ...view, filter: toggleFilter(view.filter, change) }),
    [view, onView],
  );
  // Kept while nothing of it changed: charts and map are most of the page, and three answers arrive one by one.
  const figures = useMemo(() => {
    if (!usage.data) return <FiguresSkeleton />;
    return (
      <UsageFigures usage={usage.data} filter={view.filter} {...{ comparison, limits, marks, onZoom, onToggle }} />
    );
  }, [usage.data, view.filter, comparison, limits, marks, onZoom, onToggle]);

  if (usage.problem) return <UsageProblem problem={usage.problem} view={view} onView={onView} onRetry={usage.retry} />;
  return (
    <>
      <RangeCards usage={usage.data} />
      {figures}
    </>
  );
}
