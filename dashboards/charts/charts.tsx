/** The part of the page that needs uPlot, loaded while the figures are on their way. */
import type { ChartProps } from './chart-props.ts';
import { ErrorRateChart } from './error-rate-chart.tsx';
import { LatencyChart } from './latency-chart.tsx';
import { RequestsChart } from './requests-chart.tsx';

export { EvidenceChart } from './evidence-chart.tsx';
export { RequestsChart };

export function Charts(props: ChartProps) {
  return (
    <>
      <RequestsChart {...props} />
      <div class="pair">
        <ErrorRateChart {...props} />
        <LatencyChart {...props} />
      </div>
    </>
  );
}
