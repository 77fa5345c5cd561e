import type uPlot from 'uplot';
import type { AxisFormat } from '../format/axis.ts';
import type { Slot } from '../time/buckets.ts';
import { tickLabels, timeTicks } from '../time/ticks.ts';
import type { Palette } from './palette.ts';
import { AXIS_WIDTH, END_PADDING } from './plot-measures.ts';

const LABEL_WIDTH = 76;
const DRAG_THRESHOLD = 6;

export interface PlotSetup {
  slots: readonly Slot[];
  zone: string;
  palette: Palette;
  formatY: AxisFormat;
  /** Top of the y axis when there is nothing to show. */
  emptyTop: number;
  wholeNumbers: boolean;
  cursorGroup: string;
}

function plotSpan(slots: readonly Slot[]): [number, number] {
  return [(slots[0]?.start ?? 0) / 1000, (slots.at(-1)?.end ?? 1) / 1000];
}

/** Values stand in the middle of their bucket: bars and lines then share one cursor. */
export function plotTimes(slots: readonly Slot[]): number[] {
  return slots.map((slot) => (slot.start + slot.end) / 2000);
}

function timeAxis({ zone, palette }: PlotSetup): uPlot.Axis {
  return {
    stroke: palette.axis,
    font: palette.font,
    size: 28,
    gap: 6,
    grid: { show: false },
    ticks: { stroke: palette.grid, size: 4, width: 1 },
    splits: (chart, _axis, from, to) => {
      const room = Math.floor(chart.width / LABEL_WIDTH);
      return timeTicks(from * 1000, to * 1000, zone, room).map((at) => at / 1000);
    },
    values: (_chart, splits) => {
      const times = splits.map((at) => at * 1000);
      return tickLabels(times, zone);
    },
  };
}

function valueAxis({ palette, formatY, wholeNumbers }: PlotSetup): uPlot.Axis {
  return {
    stroke: palette.axis,
    font: palette.font,
    size: AXIS_WIDTH,
    gap: 6,
    space: 36,
    grid: { stroke: palette.grid, width: 1 },
    ticks: { show: false },
    values: (_chart, splits, _axis, _space, step) => splits.map((value) => (value == null ? '' : formatY(value, step))),
    ...(wholeNumbers && { incrs: wholeSteps() }),
  };
}

/** 1, 2, 5, 10 … : there is no half request. */
function wholeSteps(): number[] {
  const steps: number[] = [];
  for (let power = 1; power < 1e15; power *= 10) steps.push(power, 2 * power, 5 * power);
  return steps;
}

export function plotOptions(setup: PlotSetup): Omit<uPlot.Options, 'width' | 'height' | 'series'> {
  const span = plotSpan(setup.slots);
  return {
    legend: { show: false },
    padding: [8, END_PADDING, 0, 0],
    scales: {
      x: { time: false, range: () => span },
      y: { range: (_chart, _min, max) => [0, max > 0 ? max * 1.06 : setup.emptyTop] },
    },
    axes: [timeAxis(setup), valueAxis(setup)],
    cursor: {
      y: false,
      drag: { x: true, y: false, setScale: false, dist: DRAG_THRESHOLD },
      points: { show: false },
      sync: { key: setup.cursorGroup, setSeries: false },
      // A double click would put back scales that were never changed.
      bind: { dblclick: () => null },
    },
  };
}
