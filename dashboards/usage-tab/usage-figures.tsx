import { useMemo } from 'preact/hooks';
import type { Usage } from '../http/contract.ts';
import { slotsOf } from '../time/buckets.ts';
import { EndpointsTable, StatusesTable } from './breakdowns.tsx';
import { Geography } from './geography.tsx';
import { useLazy } from './use-lazy.ts';
import type { UsageFilter } from './view.ts';

interface UsageFiguresProps {
  usage: Usage;
  filter: UsageFilter;
  onZoom: (from: number, to: number) => void;
  onToggle: (change: UsageFilter) => void;
}

export const loadCharts = () => import('../charts/charts.tsx');

export function UsageFigures({ usage, filter, onZoom, onToggle }: UsageFiguresProps) {
  const charts = useLazy(loadCharts);
  const slots = useMemo(() => {
    const starts = usage.series.map((point) => point.start);
    return slotsOf(starts, usage.bucket, usage.timezone, usage.complete_until);
  }, [usage]);
  return (
    <>
      {charts ? <charts.Charts usage={usage} slots={slots} onZoom={onZoom} /> : <ChartsSkeleton />}
      <div class="pair pair-wide">
        <EndpointsTable usage={usage} filter={filter} onToggle={onToggle} />
        <StatusesTable usage={usage} filter={filter} onToggle={onToggle} />
      </div>
      <Geography usage={usage} filter={filter} onToggle={onToggle} />
    </>
  );
}

function ChartsSkeleton() {
  return (
    <>
      <div class="panel skeleton-chart" aria-hidden="true">
        <i class="skeleton" />
      </div>
      <div class="pair" aria-hidden="true">
        <div class="panel skeleton-chart skeleton-low">
          <i class="skeleton" />
        </div>
        <div class="panel skeleton-chart skeleton-low">
          <i class="skeleton" />
        </div>
      </div>
    </>
  );
}

export function FiguresSkeleton() {
  return (
    <>
      <ChartsSkeleton />
      <div class="pair pair-wide" aria-hidden="true">
        <div class="panel skeleton-table">
          <i class="skeleton" />
        </div>
        <div class="panel skeleton-table">
          <i class="skeleton" />
        </div>
      </div>
    </>
  );
}
