import { useMemo } from 'preact/hooks';
import { formatAxisCount } from '../format/axis.ts';
import { formatCompact } from '../format/number.ts';
import { ChartFrame } from './chart-frame.tsx';
import type { ChartProps, CountedUsage } from './chart-props.ts';
import { LegendItem } from './legend-item.tsx';
import { settledLine } from './line-layers.ts';
import { Plot } from './plot.tsx';
import { RequestsReading, RequestsTable } from './requests-reading.tsx';
import { type ClassCounts, classCounts, STATUS_CLASSES, stackedTops, sumClasses } from './stack.ts';
import { drawStackedBars } from './stacked-bars.ts';
import { requestsSummary } from './summary.ts';

const LEGEND: Record<(typeof STATUS_CLASSES)[number], string> = {
  success: '2xx success',
  redirect: '3xx redirect',
  client: '4xx client error',
  server: '5xx server error',
};

export function RequestsChart({ usage, slots, comparison, notice, limit, marks, onZoom }: ChartProps<CountedUsage>) {
  const counts = useMemo(() => usage.series.map(classCounts), [usage]);
  const tops = useMemo(() => stackedTops(counts), [counts]);
  const drawnLimit = limit?.comparable && worthDrawing(limit.requests, tops.at(-1) ?? []) ? limit : null;
  const layers = useMemo(
    () => [
      // The canvas draws the bars; this invisible layer gives the axis its height and the cursor its values.
      { values: tops.at(-1) ?? [], style: () => ({ paths: () => null, points: { show: false } }) },
      ...(comparison ? [settledLine(comparison.requests, 'before')] : []),
      ...(drawnLimit ? [limitLine(slots.length, drawnLimit.requests)] : []),
    ],
    [tops, slots, comparison, drawnLimit],
  );
  return (
    <ChartFrame
      title="Requests by status"
      summary={requestsSummary(usage, slots)}
      testId="series-chart"
      note={usage.totals.requests === 0 ? 'No requests in this range' : undefined}
      notice={notice}
      legend={<Legend {...{ counts, comparison, limit }} drawn={drawnLimit !== null} />}
      chart={
        <Plot
          label="Requests by status class over time. Arrow keys read the values."
          height={232}
          slots={slots}
          zone={usage.timezone}
          layers={layers}
          paint={(palette) => drawStackedBars(slots, tops, palette)}
          formatY={formatAxisCount}
          emptyTop={4}
          wholeNumbers
          cursorGroup={usage.key_id}
          marks={marks}
          onZoom={onZoom}
          tooltip={(index) => <RequestsReading {...{ usage, slots, counts, comparison, index }} />}
        />
      }
      table={() => <RequestsTable {...{ usage, slots, counts, comparison }} />}
    />
  );
}

interface LegendProps extends Pick<ChartProps<CountedUsage>, 'comparison' | 'limit'> {
  counts: ClassCounts[];
  /** Whether the limit has a line of its own. */
  drawn: boolean;
}

function Legend({ counts, comparison, limit, drawn }: LegendProps) {
  const total = sumClasses(counts);
  return (
    <>
      {STATUS_CLASSES.map((name) => (
        <LegendItem key={name} look={name} label={LEGEND[name]} value={formatCompact(total[name])} />
      ))}
      {comparison && <LegendItem look="line-before" label={comparison.label} />}
      {limit && (
        <LegendItem look={drawn ? 'line-limit' : 'none'} label={limit.label} value={formatCompact(limit.requests)} />
      )}
    </>
  );
}

/** A limit far above the bars would press them flat; the legend then says it alone. */
function worthDrawing(limit: number, requests: readonly number[]): boolean {
  return limit <= 3 * Math.max(0, ...requests);
}

function limitLine(length: number, requests: number) {
  return settledLine(
    Array.from({ length }, () => requests),
    'limit',
    { dash: [8, 4] },
  );
}
