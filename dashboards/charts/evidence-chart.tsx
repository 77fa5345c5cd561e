import { useMemo } from 'preact/hooks';
import type { AlertEvidence, EvidenceChart as Evidence } from '../http/contract/alerts.ts';
import type { Slot } from '../time/buckets.ts';
import { slotLabel } from '../time/label.ts';
import { MINUTE } from '../time/range.ts';
import { ChartFrame } from './chart-frame.tsx';
import { LegendItem } from './legend-item.tsx';
import { settledLine } from './line-layers.ts';
import { Plot } from './plot.tsx';
import { SeriesTable } from './series-table.tsx';
import { axisFormatOf, writerOf } from './value-writer.ts';

interface EvidenceChartProps {
  evidence: AlertEvidence;
  chart: Evidence;
  zone: string;
  onZoom: (from: number, to: number) => void;
}

/** Why an alert fired: what was measured, and what this time usually looks like. */
export function EvidenceChart({ evidence, chart, zone, onZoom }: EvidenceChartProps) {
  const write = writerOf(evidence.unit);
  const slots = useMemo(() => {
    const start = Date.parse(chart.start);
    const length = chart.bucketMinutes * MINUTE;
    return chart.values.map((_, index) => {
      const from = start + index * length;
      return { start: from, end: from + length, complete: true };
    });
  }, [chart]);
  const layers = useMemo(
    () => [settledLine(chart.expected, 'before', { dash: [6, 3] }), settledLine(chart.values, 'p95', { width: 2 })],
    [chart],
  );
  const counts = evidence.unit === undefined || evidence.unit === 'requests' || evidence.unit === 'keys';
  return (
    <ChartFrame
      title="Seen and expected"
      testId="evidence-chart"
      summary={
        evidence.baseline ? `Expected from ${evidence.baseline}` : 'What was measured before and during the alert'
      }
      legend={[
        <LegendItem key="seen" look="line-p95" label="seen" />,
        <LegendItem key="expected" look="line-expected" label="expected" />,
      ]}
      chart={
        <Plot
          label="What was seen and what was expected over time. Arrow keys read the values."
          height={200}
          slots={slots}
          zone={zone}
          layers={layers}
          formatY={axisFormatOf(evidence.unit)}
          emptyTop={1}
          wholeNumbers={counts}
          cursorGroup="evidence"
          onZoom={onZoom}
          tooltip={(index) => <Reading {...{ chart, slots, zone, write, index }} />}
        />
      }
      table={() => (
        <SeriesTable
          caption="Seen and expected over time"
          slots={slots}
          bucket="hour"
          zone={zone}
          columns={[
            { name: 'Seen', cell: (index) => write(chart.values[index]) },
            { name: 'Expected', cell: (index) => write(chart.expected[index]) },
          ]}
        />
      )}
    />
  );
}

interface ReadingProps {
  chart: Evidence;
  slots: readonly Slot[];
  zone: string;
  write: (value: number | null | undefined) => string;
  index: number;
}

function Reading({ chart, slots, zone, write, index }: ReadingProps) {
  return (
    <>
      <div class="tooltip-title">{slots[index] && slotLabel(slots[index], 'hour', zone)}</div>
      <div class="tooltip-row">
        <LegendItem look="line-p95" label="seen" />
        <b>{write(chart.values[index])}</b>
      </div>
      <div class="tooltip-row">
        <LegendItem look="line-expected" label="expected" />
        <b>{write(chart.expected[index])}</b>
      </div>
    </>
  );
}
