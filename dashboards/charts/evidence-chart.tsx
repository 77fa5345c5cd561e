import { useMemo } from 'preact/hooks';
import type { AlertEvidence, EvidenceChart as Evidence } from '../http/contract/alerts.ts';
import type { Slot } from '../time/buckets.ts';
import { MINUTE } from '../time/range.ts';
import { ChartFrame } from './chart-frame.tsx';
import { LegendItem } from './legend-item.tsx';
import { settledLine } from './line-layers.ts';
import { LineReading, type ReadLine } from './line-reading.tsx';
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
  const slots = useMemo(() => evidenceSlots(chart), [chart]);
  const layers = useMemo(
    () => [settledLine(chart.expected, 'before', { dash: [6, 3] }), settledLine(chart.values, 'p95', { width: 2 })],
    [chart],
  );
  const counts = evidence.unit === undefined || evidence.unit === 'requests' || evidence.unit === 'keys';
  const [seen, expected] = readLines(chart, writerOf(evidence.unit));
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
          tooltip={(index) => <LineReading {...{ index, slots, zone }} bucket="hour" lines={[seen, expected]} />}
        />
      }
      table={() => (
        <SeriesTable
          caption="Seen and expected over time"
          {...{ slots, zone }}
          bucket="hour"
          columns={[
            { ...seen, name: 'Seen' },
            { ...expected, name: 'Expected' },
          ]}
        />
      )}
    />
  );
}

function evidenceSlots(chart: Evidence): Slot[] {
  const start = Date.parse(chart.start);
  const length = chart.bucketMinutes * MINUTE;
  return chart.values.map((_, index) => {
    const from = start + index * length;
    return { start: from, end: from + length, complete: true };
  });
}

function readLines(chart: Evidence, write: (value: number | null | undefined) => string): [ReadLine, ReadLine] {
  return [
    { name: 'seen', look: 'line-p95', cell: (index) => write(chart.values[index]) },
    { name: 'expected', look: 'line-expected', cell: (index) => write(chart.expected[index]) },
  ];
}
