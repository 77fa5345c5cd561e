import { useMemo } from 'preact/hooks';
import { formatAxisLatency } from '../format/axis.ts';
import { formatLatency } from '../format/number.ts';
import { ChartFrame } from './chart-frame.tsx';
import type { ChartProps } from './chart-props.ts';
import { LegendItem } from './legend-item.tsx';
import { lineLayers } from './line-layers.ts';
import { LineReading, type ReadLine } from './line-reading.tsx';
import { Plot } from './plot.tsx';
import { SeriesTable } from './series-table.tsx';
import { latencySummary } from './summary.ts';

const PERCENTILES = ['p50', 'p95', 'p99'] as const;
const LOOKS = { p50: {}, p95: { width: 2 }, p99: { dash: [6, 3] } };

export function LatencyChart({ usage, slots, onZoom }: ChartProps) {
  const lines = useMemo(
    () => PERCENTILES.map((name) => usage.series.map((point) => point.latency_ms?.[name] ?? null)),
    [usage],
  );
  const layers = useMemo(
    () => PERCENTILES.flatMap((name, index) => lineLayers(lines[index]!, slots, name, LOOKS[name])),
    [lines, slots],
  );
  const reported = lines.some((line) => line.some((value) => value !== null));
  const read: ReadLine[] = PERCENTILES.map((name, line) => ({
    name,
    look: `line-${name}`,
    cell: (index) => formatLatency(lines[line]?.[index]),
  }));
  const { bucket, timezone: zone } = usage;
  return (
    <ChartFrame
      title="Latency"
      summary={latencySummary(usage)}
      note={reported ? undefined : 'No latency reported. Send latency_ms with each record.'}
      legend={PERCENTILES.map((name) => (
        <LegendItem
          key={name}
          look={`line-${name}`}
          label={name}
          value={reported ? formatLatency(usage.totals.latency_ms?.[name]) : undefined}
        />
      ))}
      chart={
        <Plot
          label="Latency percentiles over time. Arrow keys read the values."
          height={168}
          slots={slots}
          zone={zone}
          layers={layers}
          formatY={formatAxisLatency}
          emptyTop={100}
          wholeNumbers={false}
          cursorGroup={usage.key_id}
          onZoom={onZoom}
          tooltip={(index) => <LineReading {...{ index, slots, bucket, zone }} lines={read} />}
        />
      }
      table={() => <SeriesTable caption="Latency percentiles over time" {...{ slots, bucket, zone }} columns={read} />}
    />
  );
}
