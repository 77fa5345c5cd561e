import { formatCount } from '../format/number.ts';

const WIDTH = 96;
const HEIGHT = 24;

interface SparklineProps {
  requests: readonly number[];
  errors: readonly number[];
  /** What one bar is, e.g. "day". */
  unit: string;
}

/** A path of one bar per value: one element per row draws a whole line of them. */
function barsPath(values: readonly number[], most: number): string {
  const step = WIDTH / values.length;
  return values
    .map((value, index) => {
      if (value <= 0 || most <= 0) return '';
      const height = Math.max(1, (value / most) * HEIGHT);
      const left = (index * step).toFixed(1);
      return `M${left} ${HEIGHT}v-${height.toFixed(1)}h${(step - 0.7).toFixed(1)}v${height.toFixed(1)}z`;
    })
    .join('');
}

/** The shape of a key's traffic beside its name; its figures stand in the cells next to it. */
export function Sparkline({ requests, errors, unit }: SparklineProps) {
  const most = Math.max(0, ...requests);
  const label =
    most === 0 ? 'no requests' : `${requests.length} ${unit}s, at most ${formatCount(most)} requests a ${unit}`;
  return (
    <svg
      class="sparkline"
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      width={WIDTH}
      height={HEIGHT}
      role="img"
      aria-label={label}
    >
      <path class="spark-line" d={`M0 ${HEIGHT - 0.5}h${WIDTH}`} />
      <path class="spark-requests" d={barsPath(requests, most)} />
      <path class="spark-errors" d={barsPath(errors, most)} />
    </svg>
  );
}
