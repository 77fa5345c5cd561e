import { useEffect, useRef, useState } from 'preact/hooks';
import uPlot from 'uplot';
import type { Slot } from '../time/buckets.ts';
import { readPalette } from './palette.ts';
import { plotOptions, plotTimes } from './plot-options.ts';
import type { PlotProps } from './plot-props.ts';
import { useThemeChange } from './use-theme-change.ts';
import { snapToSlots } from './zoom.ts';

/** The slot that is being read, and where it stands as a share of the width. */
export interface Hover {
  index: number;
  left: number;
}

/** The canvas in its host element: drawn anew when what it shows changes, as wide as there is room. */
export function useCanvas(props: PlotProps) {
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
  return { host, plot, hover, setHover };
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

function zoomTo(chart: uPlot, slots: readonly Slot[], onZoom: PlotProps['onZoom']): void {
  const { left, width } = chart.select;
  if (width <= 0) return;
  const from = chart.posToVal(left, 'x') * 1000;
  const to = chart.posToVal(left + width, 'x') * 1000;
  chart.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
  const span = snapToSlots(slots, from, to, Date.now());
  if (span) onZoom(span.from, span.to);
}

export function hoverAt(chart: uPlot, index: number, left: number): Hover {
  return { index, left: (left + chart.bbox.left / devicePixelRatio) / chart.width };
}
