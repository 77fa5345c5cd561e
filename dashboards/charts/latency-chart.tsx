import { useMemo } from 'preact/hooks';
import { formatAxisLatency } from '../format/axis.ts';
import { formatLatency } from '../format/number.ts';
import { slotLabel } from '../time/label.ts';
import { ChartFrame } from './chart-frame.tsx';
import type { ChartProps } from './chart-props.ts';
import { LegendItem } from './legend-item.tsx';
import { lineLayers } from './line-layers.ts';
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
          zone={usage.timezone}
          layers={layers}
          formatY={formatAxisLatency}
          emptyTop={100}
          wholeNumbers={false}
          cursorGroup={usage.key_id}
          onZoom={onZoom}
          tooltip={(index) => (
            <>
              <div class="tooltip-title">{slots[index] && slotLabel(slots[index], usage.bucket, usage.timezone)}</div>
              {PERCENTILES.map((name, line) => (
                <div key={name} class="tooltip-row">
                  <LegendItem look={`line-${name}`} label={name} />
                  <b>{formatLatency(lines[line]?.[index])}</b>
                </div>
              ))}
            </>
          )}
        />
      }
      table={() => (
        <SeriesTable
          caption="Latency percentiles over time"
          slots={slots}
          bucket={usage.bucket}
          zone={usage.timezone}
          columns={PERCENTILES.map((name, line) => ({
            name,
            cell: (index) => formatLatency(lines[line]?.[index]),
          }))}
        />
      )}
    />
  );
}
