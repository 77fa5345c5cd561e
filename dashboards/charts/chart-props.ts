import type { ComponentChildren } from 'preact';
import type { SeriesPoint, Totals, Usage } from '../http/contract/usage.ts';
import type { Slot } from '../time/buckets.ts';
import type { ChartMark } from './mark-groups.ts';

/** The same buckets some days earlier. */
export interface Comparison {
  /** E.g. "7 days before". */
  label: string;
  requests: readonly (number | null)[];
}

/** A limit that applies to one bucket, e.g. requests a day over days. */
export interface BucketLimit {
  label: string;
  requests: number;
  /** False where the bars are of another zone's days than it counts by: the legend then says it alone. */
  comparable: boolean;
}

/** What the chart of requests reads of an answer: that of one key has more, that of all keys has just this. */
export interface CountedUsage extends Pick<Usage, 'key_id' | 'bucket' | 'timezone'> {
  totals: Pick<Totals, 'requests'>;
  series: readonly Omit<SeriesPoint, 'latency_ms'>[];
}

/** What each chart of the usage tab is given. */
export interface ChartProps<Shown = Usage> {
  usage: Shown;
  slots: readonly Slot[];
  comparison?: Comparison | null;
  /** Why a line that was asked for is not there. */
  notice?: ComponentChildren;
  limit?: BucketLimit | null;
  /** What happened to the key in this time. */
  marks?: readonly ChartMark[];
  onZoom: (from: number, to: number) => void;
}
