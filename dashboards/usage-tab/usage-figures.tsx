import { useMemo } from 'preact/hooks';
import type { ChartMark } from '../charts/mark-groups.ts';
import type { Limits } from '../http/contract/keys.ts';
import type { Usage } from '../http/contract/usage.ts';
import { useLazy } from '../http/use-lazy.ts';
import { Geography } from '../panels/geography.tsx';
import { NotLoaded } from '../panels/not-loaded.tsx';
import { slotsOf } from '../time/buckets.ts';
import { EndpointsTable, StatusesTable } from './breakdowns.tsx';
import { limitOfBucket } from './limit-use.ts';
import { MissingComparison } from './missing-comparison.tsx';
import type { ComparisonAnswer } from './use-comparison.ts';
import { hasFilter, type UsageFilter } from './view.ts';

interface UsageFiguresProps {
  usage: Usage;
  filter: UsageFilter;
  comparison: ComparisonAnswer;
  limits: Limits | null;
  marks: readonly ChartMark[];
  onZoom: (from: number, to: number) => void;
  onToggle: (change: UsageFilter) => void;
}

export const loadCharts = () => import('../charts/charts.tsx');

export function UsageFigures({ usage, filter, comparison, limits, marks, onZoom, onToggle }: UsageFiguresProps) {
  const { module: charts, failed } = useLazy(loadCharts);
  const slots = useMemo(() => slotsOf(usage), [usage]);
  // A limit counts all requests of the key: beside a part of them it would mislead.
  const limit = useMemo(() => (hasFilter(filter) ? null : limitOfBucket(limits, usage)), [limits, usage, filter]);
  return (
    <>
      {charts ? (
        <charts.Charts
          usage={usage}
          slots={slots}
          comparison={comparison.line}
          notice={comparison.missing && <MissingComparison {...comparison.missing} />}
          limit={limit}
          marks={marks}
          onZoom={onZoom}
        />
      ) : failed ? (
        <div class="panel">
          <NotLoaded what="The charts" />
        </div>
      ) : (
        <ChartsSkeleton />
      )}
      <div class="pair pair-wide">
        <EndpointsTable usage={usage} filter={filter} onToggle={onToggle} />
        <StatusesTable usage={usage} filter={filter} onToggle={onToggle} />
      </div>
      <Geography
        countries={usage.countries}
        total={usage.totals.requests}
        selected={filter.country}
        onSelect={(country) => onToggle({ country })}
      />
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
