import type uPlot from 'uplot';
import type { Slot } from '../time/buckets.ts';
import { dottedTail, lonePoints } from './dotted-tail.ts';
import type { Palette } from './palette.ts';
import type { PlotLayer } from './plot-props.ts';

export type PaletteColor = 'client' | 'server' | 'p50' | 'p95' | 'p99' | 'before' | 'limit';

function lineStyle(palette: Palette, color: PaletteColor, dash: number[] | undefined, wide: number): uPlot.Series {
  const stroke = palette[color];
  return {
    stroke,
    width: wide,
    dash,
    spanGaps: false,
    points: {
      show: true,
      size: 5,
      fill: stroke,
      stroke,
      filter: (chart, series) => lonePoints(chart.data[series] as (number | null)[]),
    },
  };
}

/** A line and, where its buckets are still filling, the same line dotted. */
export function lineLayers(
  values: (number | null)[],
  slots: readonly Slot[],
  color: PaletteColor,
  look: { dash?: number[]; width?: number } = {},
): PlotLayer[] {
  const complete = slots.map((slot) => slot.complete);
  const { settled, open } = dottedTail(values, complete);
  const width = look.width ?? 1.5;
  return [
    { values: settled, style: (palette) => lineStyle(palette, color, look.dash, width) },
    { values: open, style: (palette) => lineStyle(palette, color, [2, 3], width) },
  ];
}

/** A line whose values do not change any more. */
export function settledLine(
  values: readonly (number | null)[],
  color: PaletteColor,
  look: { dash?: number[]; width?: number } = {},
): PlotLayer {
  return { values: [...values], style: (palette) => lineStyle(palette, color, look.dash, look.width ?? 1.5) };
}
