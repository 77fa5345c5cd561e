import { useMemo } from 'preact/hooks';
import type { Comparison } from '../charts/chart-props.ts';
import type { ApiClient } from '../http/client.ts';
import type { Usage } from '../http/contract.ts';
import { useResource } from '../http/use-resource.ts';
import { slotsOf } from '../time/buckets.ts';
import { DAY, type Span } from '../time/range.ts';
import { instantOf, wallClock } from '../time/zone.ts';
import type { UsageFilter } from './view.ts';

/**
 * Whole days back, so that nights meet nights; at least one. For "7 days" these are the same weekdays, for an hour it
 * is the same hour of yesterday.
 */
export function comparedDays({ from, to }: Span): number {
  return Math.max(1, Math.floor((to - from) / DAY));
}

/** The same wall clock so many days earlier, also when the clocks changed in between. */
export function daysBefore(at: number, days: number, zone: string): number {
  const wall = wallClock(at, zone);
  return instantOf({ ...wall, day: wall.day - days }, zone);
}

interface ComparisonOf {
  api: ApiClient;
  path: string;
  /** What it is compared with; null while nobody asked for a comparison. */
  usage: Usage | null;
  filter: UsageFilter;
}

/** The second line of the chart. When it cannot be had, the chart is complete without it. */
export function useComparison({ api, path, usage, filter }: ComparisonOf): Comparison | null {
  const earlier = useMemo(() => {
    if (!usage) return null;
    const { bucket, timezone } = usage;
    const slots = slotsOf(
      usage.series.map((point) => point.start),
      bucket,
      timezone,
      null,
    );
    const span = { from: Date.parse(usage.from), to: Date.parse(usage.to) };
    const days = comparedDays(span);
    // To the end of the last bucket: against half a day of today stands the whole day of last week.
    return {
      days,
      from: daysBefore(slots[0]?.start ?? span.from, days, timezone),
      to: daysBefore(slots.at(-1)?.end ?? span.to, days, timezone),
    };
  }, [usage]);
  const query = usage &&
    earlier && {
      from: new Date(earlier.from).toISOString(),
      to: new Date(earlier.to).toISOString(),
      bucket: usage.bucket,
      timezone: usage.timezone,
      ...filter,
    };
  const before = useResource(JSON.stringify([path, query]), async (signal) =>
    query ? await api.get<Usage>(`${path}/usage`, query, signal) : null,
  );
  return useMemo(() => {
    if (!usage || !earlier || !before.data || before.problem || before.loading) return null;
    const { series } = before.data;
    return {
      label: earlier.days === 1 ? '1 day before' : `${earlier.days} days before`,
      requests: usage.series.map((_, index) => series[index]?.requests ?? null),
    };
  }, [usage, earlier, before.data, before.problem, before.loading]);
}
