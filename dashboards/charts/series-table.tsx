import type { Bucket, Slot } from '../time/buckets.ts';
import { slotLabel } from '../time/label.ts';

export interface SeriesColumn {
  name: string;
  cell: (index: number) => string;
}

interface SeriesTableProps {
  caption: string;
  slots: readonly Slot[];
  bucket: Bucket;
  zone: string;
  columns: SeriesColumn[];
}

/** The figures behind a chart, newest first: the end of the range is what people look for. */
export function SeriesTable({ caption, slots, bucket, zone, columns }: SeriesTableProps) {
  const order = slots.map((_, index) => slots.length - 1 - index);
  return (
    <table class="data">
      <caption class="sr-only">{caption}</caption>
      <thead>
        <tr>
          <th scope="col">Time ({zone})</th>
          {columns.map((column) => (
            <th key={column.name} scope="col" class="num">
              {column.name}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {order.map((index) => (
          <tr key={index}>
            <th scope="row">
              {slotLabel(slots[index]!, bucket, zone)}
              {!slots[index]!.complete && <span class="dim"> (still counting)</span>}
              {slots[index]!.cut && <span class="dim"> (only partly in this range)</span>}
            </th>
            {columns.map((column) => (
              <td key={column.name} class="num">
                {column.cell(index)}
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}
