import { useMemo } from 'preact/hooks';
import type { Comparison } from '../charts/chart-props.ts';
import type { ApiClient } from '../http/client.ts';
import type { Usage } from '../http/contract/usage.ts';
import { useResource } from '../http/use-resource.ts';
import { earlierPeriod, requestsBefore, stepLabel } from './earlier-period.ts';
import type { MissingComparisonProps } from './missing-comparison.tsx';
import type { UsageFilter } from './view.ts';

interface ComparisonOf {
  api: ApiClient;
  path: string;
  /** What it is compared with; null while nobody asked for a comparison. */
  usage: Usage | null;
  filter: UsageFilter;
}

/** The second line of the chart, or why it cannot be had; neither while it is on its way. */
export interface ComparisonAnswer {
  line: Comparison | null;
  missing: MissingComparisonProps | null;
  loading: boolean;
}

/** When the line cannot be had, the chart is complete without it. */
export function useComparison({ api, path, usage, filter }: ComparisonOf): ComparisonAnswer {
  const earlier = useMemo(() => usage && earlierPeriod(usage), [usage]);
  const query = usage &&
    earlier && {
      from: new Date(earlier.from).toISOString(),
      to: new Date(earlier.to).toISOString(),
      bucket: usage.bucket,
      timezone: usage.timezone,
      ...filter,
    };
  const { data, problem, loading, retry } = useResource(JSON.stringify([path, query]), async (signal) =>
    query ? await api.get<Usage>(`${path}/usage`, query, signal) : null,
  );
  return useMemo(() => {
    const none = { line: null, missing: null, loading };
    if (!usage || !earlier || loading) return none;
    const { back } = earlier;
    const label = stepLabel(back);
    if (problem) return { ...none, missing: { label, problem, onRetry: retry } };
    if (!data) return none;
    const starts = usage.series.map((point) => point.start);
    const { bucket, timezone: zone } = usage;
    return { ...none, line: { label, requests: requestsBefore(starts, data.series, { back, bucket, zone }) } };
  }, [usage, earlier, data, problem, loading, retry]);
}
