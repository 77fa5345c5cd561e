import type { Chart, Tone } from './model.ts';
import { encodePng } from './png.ts';

/** As shown; drawn with twice as many pixels, for dense screens. */
export const CHART_WIDTH = 520;
export const CHART_HEIGHT = 96;
const DENSITY = 2;
const WIDTH = CHART_WIDTH * DENSITY;
const HEIGHT = CHART_HEIGHT * DENSITY;
const GAP = 4;
const BASE_LINE = 2;
const EXPECTED_LINE = 4;
/** Room above the highest bar. */
const HEADROOM = 1.06;
/** A bar that is not zero can be seen. */
const BAR_MIN = 4;

const COLOUR = { white: 0, grid: 1, base: 2, bar: 3, judged: 4, expected: 5 } as const;
const JUDGED: Readonly<Record<Tone, readonly [number, number, number]>> = {
  critical: [194, 47, 71],
  warning: [216, 138, 8],
  info: [69, 86, 201],
  good: [42, 157, 120],
};

/** Bars of the measured value, those of the judged window in the colour of the alert; the expectation as a dark step line. */
export function chartPng(chart: Chart, tone: Tone): Buffer {
  const pixels = new Uint8Array(WIDTH * HEIGHT);
  const known = chart.expected.filter((one) => one !== null);
  const top = Math.max(...chart.values, ...known, Number.MIN_VALUE) * HEADROOM;
  const heightOf = (value: number) => Math.round((Math.max(0, value) / top) * (HEIGHT - BASE_LINE));
  for (const share of [0.5, 1]) fill(pixels, 0, Math.round((HEIGHT - BASE_LINE) * (1 - share)), WIDTH, 2, COLOUR.grid);
  const leftOf = (index: number) => Math.round((index * WIDTH) / chart.values.length);
  chart.values.forEach((value, index) => {
    const height = value > 0 ? Math.max(BAR_MIN, heightOf(value)) : 0;
    const isJudged = index >= chart.values.length - chart.judged;
    const left = leftOf(index) + GAP / 2;
    const width = Math.max(2, leftOf(index + 1) - leftOf(index) - GAP);
    fill(pixels, left, HEIGHT - BASE_LINE - height, width, height, isJudged ? COLOUR.judged : COLOUR.bar);
  });
  fill(pixels, 0, HEIGHT - BASE_LINE, WIDTH, BASE_LINE, COLOUR.base);
  chart.expected.forEach((value, index) => {
    if (value === null) return;
    const y = Math.max(0, HEIGHT - BASE_LINE - heightOf(value) - EXPECTED_LINE / 2);
    fill(pixels, leftOf(index), y, leftOf(index + 1) - leftOf(index), EXPECTED_LINE, COLOUR.expected);
  });
  const palette = [
    [255, 255, 255],
    [236, 238, 242],
    [203, 208, 218],
    [184, 192, 212],
    JUDGED[tone],
    [55, 65, 92],
  ] as const;
  return encodePng({ width: WIDTH, height: HEIGHT, pixels, palette });
}

function fill(pixels: Uint8Array, left: number, top: number, width: number, height: number, colour: number): void {
  for (let y = Math.max(0, top); y < Math.min(HEIGHT, top + height); y++) {
    pixels.fill(colour, y * WIDTH + Math.max(0, left), y * WIDTH + Math.min(WIDTH, left + width));
  }
}
