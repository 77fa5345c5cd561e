import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import uPlot from 'uplot';
import type { Slot } from '../time/buckets.ts';
import type { ChartMark } from './mark-groups.ts';
import { Marks } from './marks.tsx';
import { type Palette, readPalette } from './palette.ts';
import { type PlotSetup, plotOptions, plotTimes } from './plot-options.ts';
import { useThemeChange } from './use-theme-change.ts';
import { snapToSlots } from './zoom.ts';

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

interface Hover {
  index: number;
  left: number;
}

function zoomTo(chart: uPlot, slots: readonly Slot[], onZoom: PlotProps['onZoom']): void {
  const { left, width } = chart.select;
  if (width <= 0) return;
  const from = chart.posToVal(left, 'x') * 1000;
  const to = chart.posToVal(left + width, 'x') * 1000;
  chart.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
  const span = snapToSlots(slots, from, to, Date.now());
  if (span) onZoom(span.from, span.to);
}

/** One canvas with a time axis, a crosshair shared by its group, and a tooltip that is ordinary HTML. */
export function Plot(props: PlotProps) {
  const host = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const latest = useRef(props);
  latest.current = props;
  const [hover, setHover] = useState<Hover | null>(null);
  const theme = useThemeChange(host);

  // a new theme means new colours on the canvas
  useEffect(() => {
    const element = host.current;
    if (!element) return;
    const chart = createPlot(element, latest, setHover);
    plot.current = chart;
    const resize = new ResizeObserver(() => {
      const width = Math.floor(element.clientWidth);
      if (width > 0 && width !== chart.width) chart.setSize({ width, height: latest.current.height });
    });
    resize.observe(element);
    return () => {
      resize.disconnect();
      chart.destroy();
      plot.current = null;
      setHover(null);
    };
  }, [props.slots, props.layers, props.zone, props.height, theme]);

  const onKeyDown = (event: KeyboardEvent) => {
    const step = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0;
    if (!plot.current || event.altKey || event.ctrlKey || event.metaKey) return;
    if (event.key === 'Escape') setHover(null);
    if (!step) return;
    event.preventDefault();
    event.stopPropagation();
    setHover(moveCursor(plot.current, props.slots, (hover?.index ?? (step > 0 ? -1 : props.slots.length)) + step));
  };

  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset is for form fields; this groups a canvas and its reading
    <div
      class="plot"
      role="group"
      // biome-ignore lint/a11y/noNoninteractiveTabindex: the arrow keys read the chart value by value
      tabIndex={0}
      aria-label={props.label}
      onKeyDown={onKeyDown}
      onBlur={() => setHover(null)}
    >
      <div ref={host} class="plot-canvas" style={{ height: `${props.height}px` }} />
      {props.marks && <Marks marks={props.marks} slots={props.slots} />}
      {hover && props.slots[hover.index] && (
        <div class={hover.left > 0.5 ? 'tooltip tooltip-left' : 'tooltip'} style={{ left: `${hover.left * 100}%` }}>
          {props.tooltip(hover.index)}
        </div>
      )}
      <div class="sr-only" aria-live="polite">
        {hover ? props.tooltip(hover.index) : null}
      </div>
    </div>
  );
}

function moveCursor(chart: uPlot, slots: readonly Slot[], wanted: number): Hover | null {
  const index = Math.max(0, Math.min(slots.length - 1, wanted));
  const at = chart.data[0][index];
  if (at === undefined) return null;
  const left = chart.valToPos(at, 'x');
  chart.setCursor({ left, top: 0 });
  return hoverAt(chart, index, left);
}

function hoverAt(chart: uPlot, index: number, left: number): Hover {
  return { index, left: (left + chart.bbox.left / devicePixelRatio) / chart.width };
}

function createPlot(
  element: HTMLElement,
  latest: { current: PlotProps },
  setHover: (hover: Hover | null) => void,
): uPlot {
  const { current: props } = latest;
  const palette = readPalette(element);
  const paint = props.paint?.(palette);
  const options: uPlot.Options = {
    ...plotOptions({ ...props, palette }),
    width: Math.max(160, Math.floor(element.clientWidth)),
    height: props.height,
    series: [{}, ...props.layers.map((layer) => layer.style(palette))],
    hooks: {
      ...(paint && { drawAxes: [paint] }),
      setSelect: [(chart) => zoomTo(chart, props.slots, latest.current.onZoom)],
      setCursor: [
        (chart) => {
          // Synchronised charts move their crosshair, but only the one under the pointer speaks.
          if (!chart.over.matches(':hover')) return;
          const { idx, left } = chart.cursor;
          setHover(idx == null || left == null || left < 0 ? null : hoverAt(chart, idx, left));
        },
      ],
    },
  };
  const data = [plotTimes(props.slots), ...props.layers.map((layer) => layer.values)] as uPlot.AlignedData;
  const chart = new uPlot(options, data, element);
  chart.over.addEventListener('mouseleave', () => setHover(null));
  return chart;
}
