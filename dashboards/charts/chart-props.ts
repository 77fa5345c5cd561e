import type { Usage } from '../http/contract.ts';
import type { Slot } from '../time/buckets.ts';

/** What each chart of the usage tab is given. */
export interface ChartProps {
  usage: Usage;
  slots: readonly Slot[];
  onZoom: (from: number, to: number) => void;
}
