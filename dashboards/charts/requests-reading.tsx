import { formatCount, formatRate } from '../format/number.ts';
import { slotLabel } from '../time/label.ts';
import type { ChartProps, CountedUsage } from './chart-props.ts';
import { LegendItem } from './legend-item.tsx';
import { SeriesTable } from './series-table.tsx';
import { CLASS_NAMES, type ClassCounts, STATUS_CLASSES } from './stack.ts';

type ReadingProps = Pick<ChartProps<CountedUsage>, 'usage' | 'slots' | 'comparison'> & {
  counts: ClassCounts[];
  index: number;
};

/** The figures where the pointer is. */
export function RequestsReading({ usage, slots, counts, comparison, index }: ReadingProps) {
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

export function RequestsTable({ usage, slots, counts, comparison }: Omit<ReadingProps, 'index'>) {
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
