import type uPlot from 'uplot';
import type { Slot } from '../time/buckets.ts';
import { Marks } from './marks.tsx';
import type { PlotProps } from './plot-props.ts';
import { type Hover, hoverAt, useCanvas } from './use-canvas.ts';

/** One canvas with a time axis, a crosshair shared by its group, and a tooltip that is ordinary HTML. */
export function Plot(props: PlotProps) {
  const { host, plot, hover, setHover } = useCanvas(props);

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
