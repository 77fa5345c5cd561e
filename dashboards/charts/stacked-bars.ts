import type uPlot from 'uplot';
import type { Slot } from '../time/buckets.ts';
import type { Palette } from './palette.ts';
import { STATUS_CLASSES } from './stack.ts';

/** A share of a pixel would vanish; a single failed request must be seen. */
const MIN_HEIGHT = 1;

/** Errors carry stripes as well as a colour, so the classes are told apart without colour vision. */
function stripes(color: string, line: string, falling: boolean): HTMLCanvasElement {
  const size = Math.round(6 * devicePixelRatio);
  const tile = document.createElement('canvas');
  tile.width = tile.height = size;
  const pen = tile.getContext('2d')!;
  pen.fillStyle = color;
  pen.fillRect(0, 0, size, size);
  pen.strokeStyle = line;
  pen.globalAlpha = 0.55;
  pen.lineWidth = size / 6;
  pen.beginPath();
  for (const shift of [-size, 0, size]) {
    pen.moveTo(shift, falling ? 0 : size);
    pen.lineTo(shift + size, falling ? size : 0);
  }
  pen.stroke();
  return tile;
}

function fills(pen: CanvasRenderingContext2D, palette: Palette): (string | CanvasPattern)[] {
  const client = pen.createPattern(stripes(palette.client, palette.surface, false), 'repeat');
  const server = pen.createPattern(stripes(palette.server, palette.surface, true), 'repeat');
  return [palette.success, palette.redirect, client ?? palette.client, server ?? palette.server];
}

function barEdges(chart: uPlot, slot: Slot): [left: number, width: number] {
  const left = chart.valToPos(slot.start / 1000, 'x', true);
  const right = chart.valToPos(slot.end / 1000, 'x', true);
  const full = right - left;
  const gap = full > 6 * devicePixelRatio ? Math.min(full * 0.18, 8 * devicePixelRatio) : full > 3 ? 1 : 0;
  return [left + gap / 2, Math.max(full - gap, 1)];
}

/** Draws the bars itself: uPlot's own bars know neither stacking, nor patterns, nor buckets of unequal length. */
export function drawStackedBars(slots: readonly Slot[], tops: readonly number[][], palette: Palette) {
  return (chart: uPlot) => {
    const pen = chart.ctx;
    const { left, top, width, height } = chart.bbox;
    const paint = fills(pen, palette);
    pen.save();
    pen.beginPath();
    pen.rect(left, top, width, height);
    pen.clip();
    slots.forEach((slot, index) => {
      const [x, wide] = barEdges(chart, slot);
      pen.globalAlpha = slot.complete && !slot.cut ? 1 : 0.45;
      let floor = chart.valToPos(0, 'y', true);
      let below = 0;
      STATUS_CLASSES.forEach((_, layer) => {
        const reach = tops[layer]?.[index] ?? 0;
        if (reach > below) {
          const ceiling = Math.min(chart.valToPos(reach, 'y', true), floor - MIN_HEIGHT);
          pen.fillStyle = paint[layer]!;
          pen.fillRect(x, ceiling, wide, floor - ceiling);
          floor = ceiling;
        }
        below = reach;
      });
      if (!slot.complete && below > 0) outline(pen, x, floor, wide, chart.valToPos(0, 'y', true), palette.axis);
    });
    pen.restore();
  };
}

function outline(pen: CanvasRenderingContext2D, x: number, top: number, wide: number, base: number, color: string) {
  const dot = devicePixelRatio;
  pen.globalAlpha = 1;
  pen.strokeStyle = color;
  pen.lineWidth = dot;
  pen.setLineDash([2 * dot, 2 * dot]);
  pen.strokeRect(x + dot / 2, top - dot, Math.max(wide - dot, 1), base - top + dot);
  pen.setLineDash([]);
}
