import type { ComponentChildren } from 'preact';
import type uPlot from 'uplot';
import type { ChartMark } from './mark-groups.ts';
import type { Palette } from './palette.ts';
import type { PlotSetup } from './plot-options.ts';

export interface PlotLayer {
  values: (number | null)[];
  style: (palette: Palette) => Omit<uPlot.Series, 'label'>;
}

export interface PlotProps extends Omit<PlotSetup, 'palette'> {
  label: string;
  height: number;
  layers: PlotLayer[];
  /** Painted between the grid and the lines. */
  paint?: (palette: Palette) => (chart: uPlot) => void;
  tooltip: (index: number) => ComponentChildren;
  marks?: readonly ChartMark[];
  onZoom: (from: number, to: number) => void;
}
