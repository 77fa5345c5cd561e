import { formatRate } from '../format/number.ts';

/** An error rate in a table: coloured from the point on where somebody should look. */
export function ErrorShare({ rate }: { rate: number | null }) {
  const tone = rate === null || rate < 0.01 ? 'dim' : rate >= 0.05 ? 'bad' : 'warn';
  return <span class={tone}>{formatRate(rate)}</span>;
}
