import { useMemo } from 'preact/hooks';
import { formatAxisCount } from '../format/axis.ts';
import { formatCompact, formatCount, formatRate } from '../format/number.ts';
import { slotLabel } from '../time/label.ts';
import { ChartFrame } from './chart-frame.tsx';
import type { ChartProps, CountedUsage } from './chart-props.ts';
import { LegendItem } from './legend-item.tsx';
import { settledLine } from './line-layers.ts';
import { Plot } from './plot.tsx';
import { SeriesTable } from './series-table.tsx';
import { CLASS_NAMES, type ClassCounts, classCounts, STATUS_CLASSES, stackedTops, sumClasses } from './stack.ts';
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
  const total = sumClasses(counts);
  return (
    <ChartFrame
      title="Requests by status"
      summary={requestsSummary(usage, slots)}
      testId="series-chart"
      note={usage.totals.requests === 0 ? 'No requests in this range' : undefined}
      notice={notice}
      legend={[
        ...STATUS_CLASSES.map((name) => (
          <LegendItem key={name} look={name} label={LEGEND[name]} value={formatCompact(total[name])} />
        )),
        comparison && <LegendItem key="before" look="line-before" label={comparison.label} />,
        limit && (
          <LegendItem
            key="limit"
            look={drawnLimit ? 'line-limit' : 'none'}
            label={limit.label}
            value={formatCompact(limit.requests)}
          />
        ),
      ]}
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
          tooltip={(index) => <Reading {...{ usage, slots, counts, comparison, index }} />}
        />
      }
      table={() => <RequestsTable {...{ usage, slots, counts, comparison }} />}
    />
  );
}

function RequestsTable({ usage, slots, counts, comparison }: Omit<ReadingProps, 'index'>) {
  return (
    <SeriesTable
      caption="Requests by status class over time"
      slots={slots}
      bucket={usage.bucket}
      zone={usage.timezone}
      columns={[
        { name: 'Requests', cell: (index) => formatCount(usage.series[index]?.requests) },
        ...STATUS_CLASSES.map((name) => ({
          name: CLASS_NAMES[name],
          cell: (index: number) => formatCount(counts[index]?.[name]),
        })),
        ...(comparison
          ? [{ name: comparison.label, cell: (index: number) => formatCount(comparison.requests[index]) }]
          : []),
      ]}
    />
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

type ReadingProps = Pick<ChartProps<CountedUsage>, 'usage' | 'slots' | 'comparison'> & {
  counts: ClassCounts[];
  index: number;
};

function Reading({ usage, slots, counts, comparison, index }: ReadingProps) {
  const slot = slots[index];
  const count = counts[index];
  const requests = usage.series[index]?.requests ?? 0;
  if (!slot || !count) return null;
  return (
    <>
      <div class="tooltip-title">{slotLabel(slot, usage.bucket, usage.timezone)}</div>
      <div class="tooltip-row tooltip-total">
        <span>Requests</span>
        <b>{formatCount(requests)}</b>
      </div>
      {STATUS_CLASSES.map((name) => (
        <div key={name} class="tooltip-row">
          <LegendItem look={name} label={CLASS_NAMES[name]} />
          <b>{formatCount(count[name])}</b>
          <span class="dim">{requests ? formatRate(count[name] / requests) : ''}</span>
        </div>
      ))}
      {comparison && (
        <div class="tooltip-row">
          <LegendItem look="line-before" label={comparison.label} />
          <b>{formatCount(comparison.requests[index])}</b>
        </div>
      )}
      {!slot.complete && <div class="dim">Still counting</div>}
      {slot.cut && <div class="dim">Only partly in this range</div>}
    </>
  );
}
