import { useCallback, useMemo } from 'preact/hooks';
import { go } from '../address/location.ts';
import type { UsageGroup } from '../http/contract/usage.ts';
import { Geography } from '../panels/geography.tsx';
import { Part } from '../panels/part.tsx';
import { ProblemPanel } from '../panels/problem-panel.tsx';
import type { TimeView } from '../time/time-view.ts';
import { FiringAlerts } from './firing-alerts.tsx';
import { FleetChart } from './fleet-chart.tsx';
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
import type { Overview } from './use-overview.ts';

interface PartsProps {
  overview: Overview;
  view: TimeView;
}

interface OverviewFiguresProps extends PartsProps {
  onView: (view: TimeView) => void;
}

/** Everything the overview shows of the range. */
export function OverviewFigures({ overview, view, onView }: OverviewFiguresProps) {
  const { statuses, routes, countries, keys, alerts } = overview;
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
      <KeysByUse {...{ overview, view, names }} />
      <div class="pair pair-wide">
        <Part of={routes} what="The top routes">
          {({ data }) => <RoutesTable groups={data} view={view} />}
        </Part>
        <Part of={statuses} what="The status codes">
          {({ data }) => <StatusGroupsTable groups={data} view={view} />}
        </Part>
      </div>
      <Part of={countries} what="The countries">
        {({ data }) => <Countries groups={data} view={view} />}
      </Part>
    </div>
  );
}

interface KeysByUseProps extends PartsProps {
  names: ReadonlyMap<string, string | null>;
}

/** The busiest keys, and beside them those that are on the move or fail. */
function KeysByUse({ overview, view, names }: KeysByUseProps) {
  const { byKey, byKeyBefore } = overview;
  return (
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
        <KeysInNeed {...{ overview, view }} />
      </div>
    </div>
  );
}

/** Keys somebody should look after, whatever the range. */
function KeysInNeed({ overview: { nearLimit, expiring, discovered, unused }, view }: PartsProps) {
  return (
    <>
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
    </>
  );
}

function Countries({ groups, view }: { groups: UsageGroup[]; view: TimeView }) {
  return (
    <Geography
      countries={groups.map(({ group, ...figures }) => ({ country: group, ...figures }))}
      total={totalsOfGroups(groups).requests}
      onSelect={(country) => go(explorerPath(view, { country }))}
    />
  );
}
