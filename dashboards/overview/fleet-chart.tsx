import { useMemo } from 'preact/hooks';
import type { FleetUsage } from '../http/contract/usage.ts';
import { useLazy } from '../http/use-lazy.ts';
import { NotLoaded } from '../panels/not-loaded.tsx';
import { slotsOf } from '../time/buckets.ts';
import { loadCharts } from '../usage-tab/usage-figures.tsx';
import { totalsOfGroups } from './totals.ts';

interface FleetChartProps {
  usage: FleetUsage;
  onZoom: (from: number, to: number) => void;
}

/** All keys together over time: the same chart as that of one key. */
export function FleetChart({ usage, onZoom }: FleetChartProps) {
  const { module: charts, failed } = useLazy(loadCharts);
  const slots = useMemo(() => slotsOf(usage), [usage]);
  const shown = useMemo(() => ({ ...usage, key_id: '', totals: totalsOfGroups(usage.data) }), [usage]);
  if (failed) {
    return (
      <div class="panel">
        <NotLoaded what="The charts" />
      </div>
    );
  }
  if (!charts) {
    return (
      <div class="panel skeleton-chart" aria-hidden="true">
        <i class="skeleton" />
      </div>
    );
  }
  return <charts.RequestsChart usage={shown} slots={slots} onZoom={onZoom} />;
}
