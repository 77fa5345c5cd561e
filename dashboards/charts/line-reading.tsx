import type { Bucket, Slot } from '../time/buckets.ts';
import { slotLabel } from '../time/label.ts';
import { LegendItem } from './legend-item.tsx';
import type { SeriesColumn } from './series-table.tsx';

/** A line of a chart: its figures, and how it is drawn. */
export interface ReadLine extends SeriesColumn {
  look: string;
}

interface LineReadingProps {
  index: number;
  slots: readonly Slot[];
  bucket: Bucket;
  zone: string;
  lines: readonly ReadLine[];
}

/** What each line says where the pointer is. */
export function LineReading({ index, slots, bucket, zone, lines }: LineReadingProps) {
  return (
    <>
      <div class="tooltip-title">{slots[index] && slotLabel(slots[index], bucket, zone)}</div>
      {lines.map(({ name, look, cell }) => (
        <div key={name} class="tooltip-row">
          <LegendItem look={look} label={name} />
          <b>{cell(index)}</b>
        </div>
      ))}
    </>
  );
}
