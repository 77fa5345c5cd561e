import { useCallback, useMemo, useRef } from 'preact/hooks';
import { go } from '../address/location.ts';
import { useTitle } from '../address/use-title.ts';
import { FirstRequest } from '../console/first-request.tsx';
import type { ApiClient } from '../http/client.ts';
import { usePolling } from '../http/use-polling.ts';
import { AsOf } from '../panels/as-of.tsx';
import { Geography } from '../panels/geography.tsx';
import { Part } from '../panels/part.tsx';
import { ProblemPanel } from '../panels/problem-panel.tsx';
import { RangeBar } from '../range-bar/range-bar.tsx';
import { useLive } from '../range-bar/use-live.ts';
import { usePeriod } from '../range-bar/use-period.ts';
import { useSearchKey } from '../range-bar/use-search-key.ts';
import type { TimeView } from '../time/time-view.ts';
import { FiringAlerts } from './firing-alerts.tsx';
import { FleetChart } from './fleet-chart.tsx';
import { KeySearch } from './key-search.tsx';
import {
  DiscoveredTable,
  ExpiringTable,
  FailingKeysTable,
  MoversTable,
  NearLimitTable,
  TopKeysTable,
  UnusedTable,
} from './key-tables.tsx';
import { OverviewCards } from './overview-cards.tsx';
import { totalsOfGroups } from './totals.ts';
import { explorerPath, RoutesTable, StatusGroupsTable } from './traffic-tables.tsx';
import { type Overview, useOverview } from './use-overview.ts';

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
          <Figures overview={overview} view={view} onView={onView} />
        </div>
      )}
    </main>
  );
}

interface FiguresProps extends Pick<OverviewPageProps, 'view' | 'onView'> {
  overview: Overview;
}

function Figures({ overview, view, onView }: FiguresProps) {
  const { statuses, byKey, byKeyBefore, routes, countries, keys, discovered, expiring, unused, nearLimit, alerts } =
    overview;
  const onZoom = useCallback(
    (from: number, to: number) => onView({ ...view, live: false, range: { from, to } }),
    [view, onView],
  );
  const names = useMemo(() => new Map(keys.data?.data.map((key) => [key.key_id, key.name])), [keys.data]);
  const stale = statuses.loading && statuses.data !== null;
  return (
    <div class={stale ? 'figures figures-stale' : 'figures'} aria-busy={statuses.loading}>
      {!statuses.problem && <OverviewCards overview={overview} />}
      <Part of={statuses} what="The requests over time">
        {(answer) => <FleetChart usage={answer} onZoom={onZoom} />}
      </Part>
      {alerts.problem && <ProblemPanel what="The open alerts" problem={alerts.problem} onRetry={alerts.retry} />}
      {!alerts.problem && alerts.data && alerts.data.data.length > 0 && (
        <FiringAlerts alerts={alerts.data} now={alerts.answeredAt!} />
      )}
      <div class="pair pair-wide">
        <Part of={byKey} what="The top keys">
          {({ data }) => <TopKeysTable groups={data} before={byKeyBefore.data?.data} names={names} view={view} />}
        </Part>
        <div class="stack">
          {byKey.data && !byKey.problem && (
            <Part of={byKeyBefore} what="The top movers">
              {({ data: before }) => <MoversTable groups={byKey.data!.data} {...{ before, names, view }} />}
            </Part>
          )}
          <Part of={byKey} what="Keys with errors">
            {({ data }) => <FailingKeysTable groups={data} names={names} view={view} />}
          </Part>
          <Part of={nearLimit} what="Keys near their limit">
            {({ data }) => <NearLimitTable keys={data} view={view} />}
          </Part>
          <Part of={expiring} what="Expiring keys">
            {({ data }, now) => <ExpiringTable keys={data} view={view} now={now} />}
          </Part>
          <Part of={discovered} what="Discovered keys">
            {({ data }, now) => <DiscoveredTable keys={data} view={view} now={now} />}
          </Part>
          <Part of={unused} what="Unused keys">
            {({ data }, now) => <UnusedTable keys={data} view={view} now={now} />}
          </Part>
        </div>
      </div>
      <div class="pair pair-wide">
        <Part of={routes} what="The top routes">
          {({ data }) => <RoutesTable groups={data} view={view} />}
        </Part>
        <Part of={statuses} what="The status codes">
          {({ data }) => <StatusGroupsTable groups={data} view={view} />}
        </Part>
      </div>
      <Part of={countries} what="The countries">
        {({ data }) => (
          <Geography
            countries={data.map(({ group, ...figures }) => ({ country: group, ...figures }))}
            total={totalsOfGroups(data).requests}
            onSelect={(country) => go(explorerPath(view, { country }))}
          />
        )}
      </Part>
    </div>
  );
}
