import { useMemo } from 'preact/hooks';
import { formatAxisRate } from '../format/axis.ts';
import { formatRate } from '../format/number.ts';
import type { SeriesPoint } from '../http/contract/usage.ts';
import { ChartFrame } from './chart-frame.tsx';
import type { ChartProps } from './chart-props.ts';
import { LegendItem } from './legend-item.tsx';
import { lineLayers } from './line-layers.ts';
import { LineReading, type ReadLine } from './line-reading.tsx';
import { Plot } from './plot.tsx';
import { SeriesTable } from './series-table.tsx';
import { errorRateSummary } from './summary.ts';

/** Without requests there is no rate; a zero would claim that all went well. */
function rates(series: SeriesPoint[], count: (point: SeriesPoint) => number): (number | null)[] {
  return series.map((point) => (point.requests ? count(point) / point.requests : null));
}

export function ErrorRateChart({ usage, slots, onZoom }: ChartProps) {
  const client = useMemo(() => rates(usage.series, (point) => point.client_errors), [usage]);
  const server = useMemo(() => rates(usage.series, (point) => point.server_errors), [usage]);
  const layers = useMemo(
    () => [
      ...lineLayers(client, slots, 'client', { dash: [6, 3] }),
      ...lineLayers(server, slots, 'server', { width: 2 }),
    ],
    [client, server, slots],
  );
  const share = (errors: number) => (usage.totals.requests ? formatRate(errors / usage.totals.requests) : undefined);
  const read: ReadLine[] = [
    { name: '4xx', look: 'line-client', cell: (index) => formatRate(client[index]) },
    { name: '5xx', look: 'line-server', cell: (index) => formatRate(server[index]) },
  ];
  const { bucket, timezone: zone } = usage;
  return (
    <ChartFrame
      title="Error rate"
      summary={errorRateSummary(usage, slots)}
      note={usage.totals.requests === 0 ? 'No requests in this range' : undefined}
      legend={[
        <LegendItem key="client" look="line-client" label="4xx" value={share(usage.totals.client_errors)} />,
        <LegendItem key="server" look="line-server" label="5xx" value={share(usage.totals.server_errors)} />,
      ]}
      chart={
        <Plot
          label="Share of failed requests over time. Arrow keys read the values."
          height={168}
          slots={slots}
          zone={zone}
          layers={layers}
          formatY={formatAxisRate}
          emptyTop={0.01}
          wholeNumbers={false}
          cursorGroup={usage.key_id}
          onZoom={onZoom}
          tooltip={(index) => <LineReading {...{ index, slots, bucket, zone }} lines={read} />}
        />
      }
      table={() => <SeriesTable caption="Error rate over time" {...{ slots, bucket, zone }} columns={read} />}
    />
  );
}
