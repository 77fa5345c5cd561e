import type { ComponentChildren } from 'preact';
import { useId, useState } from 'preact/hooks';

interface ChartFrameProps {
  title: string;
  summary: string;
  legend?: ComponentChildren;
  chart: ComponentChildren;
  table: () => ComponentChildren;
  testId?: string;
  /** Shown over the frame, e.g. when nothing happened; the frame stays, so the page does not jump. */
  note?: string;
  /** What is missing from it, as a chart and as a table. */
  notice?: ComponentChildren;
}

/** What every chart comes with: a name, its message in words, and its figures as a table. */
export function ChartFrame({ title, summary, legend, chart, table, testId, note, notice }: ChartFrameProps) {
  const [asTable, setAsTable] = useState(false);
  const name = useId();
  return (
    <figure class="panel chart-frame" aria-labelledby={name} data-testid={testId}>
      <figcaption class="panel-head">
        <h2 id={name}>{title}</h2>
        <p class="panel-note">{summary}</p>
        <button type="button" class="quiet" aria-pressed={asTable} onClick={() => setAsTable(!asTable)}>
          {asTable ? 'Chart' : 'Table'}
          <span class="sr-only"> view of {title}</span>
        </button>
      </figcaption>
      {notice}
      {asTable ? (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolled region must be reachable by keyboard
        <section class="scroll-table" tabIndex={0} aria-label={`${title}, table`}>
          {table()}
        </section>
      ) : (
        <div class="chart-body">
          {legend && <div class="legend">{legend}</div>}
          {chart}
          {note && <p class="chart-empty">{note}</p>}
        </div>
      )}
    </figure>
  );
}
