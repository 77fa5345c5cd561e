import { useCallback, useEffect, useMemo } from 'preact/hooks';
import type { ApiClient } from '../http/client.ts';
import type { ApiKey, Usage } from '../http/contract.ts';
import { useResource } from '../http/use-resource.ts';
import { resolveRange, shiftRange } from '../time/range.ts';
import { FilterPills } from './filter-pills.tsx';
import { loadMap } from './geography.tsx';
import { KeyCards } from './key-cards.tsx';
import { KeyHead } from './key-head.tsx';
import { ProblemPanel } from './problem-panel.tsx';
import { RangeBar } from './range-bar.tsx';
import { RangeCards } from './range-cards.tsx';
import { RecentRequests } from './recent-requests.tsx';
import { FiguresSkeleton, loadCharts, UsageFigures } from './usage-figures.tsx';
import { useNow } from './use-now.ts';
import { useRangeKeys } from './use-range-keys.ts';
import { toggleFilter, type UsageFilter, type UsageView } from './view.ts';

export interface UsageTabProps {
  api: ApiClient;
  keyId: string;
  view: UsageView;
  onView: (view: UsageView) => void;
  onKey?: (key: ApiKey) => void;
}

const LIVE_EVERY_MS = 10_000;

/** Everything about one key. It knows neither the address bar nor the session, so any page can hold it. */
export function UsageTab({ api, keyId, view, onView, onKey }: UsageTabProps) {
  const { now, refresh } = useNow(view.live, LIVE_EVERY_MS);
  const span = useMemo(() => resolveRange(view.range, now, view.zone), [view.range, view.zone, now]);
  const path = `/v1/keys/${encodeURIComponent(keyId)}`;

  const key = useResource(`${path} ${now}`, (signal) => api.get<ApiKey>(path, {}, signal));
  const query = {
    from: new Date(span.from).toISOString(),
    to: new Date(span.to).toISOString(),
    bucket: view.bucket,
    timezone: view.zone,
    ...view.filter,
  };
  const usage = useResource(`${path} ${JSON.stringify(query)}`, (signal) =>
    api.get<Usage>(`${path}/usage`, query, signal),
  );

  useEffect(() => {
    // Fetched beside the figures instead of after them.
    loadCharts().catch(() => undefined);
    loadMap().catch(() => undefined);
  }, []);
  useEffect(() => {
    if (key.data) onKey?.(key.data);
  }, [key.data, onKey]);

  const onZoom = useCallback(
    (from: number, to: number) => onView({ ...view, live: false, bucket: 'auto', range: { from, to } }),
    [view, onView],
  );
  const shift = useCallback(
    (direction: -1 | 1) => onView({ ...view, live: false, range: shiftRange(span, direction, Date.now()) }),
    [view, span, onView],
  );
  useRangeKeys(shift);
  const setFilter = (filter: UsageFilter) => onView({ ...view, filter });
  const onToggle = (change: UsageFilter) => setFilter(toggleFilter(view.filter, change));

  if (key.problem?.status === 404) return <ProblemPanel what="This key" problem={key.problem} onRetry={key.retry} />;
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
        bucket={usage.data?.bucket ?? null}
        updating={usage.loading}
        onView={onView}
        onRefresh={refresh}
      />
      <FilterPills filter={view.filter} everywhere={Boolean(usage.data?.filters)} onFilter={setFilter} />
      <div class={usage.loading && usage.data ? 'figures figures-stale' : 'figures'} aria-busy={usage.loading}>
        {usage.problem ? (
          <ProblemPanel what="The usage in this range" problem={usage.problem} onRetry={usage.retry} />
        ) : (
          <RangeCards usage={usage.data} />
        )}
        {usage.data && !usage.problem && (
          <UsageFigures usage={usage.data} filter={view.filter} onZoom={onZoom} onToggle={onToggle} />
        )}
        {!usage.data && !usage.problem && <FiguresSkeleton />}
        <RecentRequests api={api} keyId={keyId} span={span} zone={view.zone} filter={view.filter} />
      </div>
    </div>
  );
}
