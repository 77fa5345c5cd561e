import { formatCount, formatLatency, formatPercent, formatRate } from '../format/number.ts';
import type { CountryRow, Usage } from '../http/contract/usage.ts';
import type { Slot } from '../time/buckets.ts';
import { slotLabel } from '../time/label.ts';
import type { CountedUsage } from './chart-props.ts';

/** One sentence per chart: what a glance at it tells, for those who cannot glance. */
export function requestsSummary(usage: CountedUsage, slots: readonly Slot[]): string {
  const { totals, series } = usage;
  if (totals.requests === 0) return 'No requests in this range.';
  const busiest = series.reduce((best, point, index) => (point.requests > series[best]!.requests ? index : best), 0);
  const at = slots[busiest] ? slotLabel(slots[busiest], usage.bucket, usage.timezone) : '';
  return `${formatCount(totals.requests)} requests. Busiest: ${at} with ${formatCount(series[busiest]?.requests)}.`;
}

export function errorRateSummary(usage: Usage, slots: readonly Slot[]): string {
  const { totals, series } = usage;
  if (totals.requests === 0) return 'No requests in this range.';
  const errors = totals.client_errors + totals.server_errors;
  if (errors === 0) return 'No failed request.';
  let worst = -1;
  let worstRate = 0;
  series.forEach((point, index) => {
    const rate = point.requests ? (point.client_errors + point.server_errors) / point.requests : 0;
    if (rate > worstRate) [worst, worstRate] = [index, rate];
  });
  const average = `${formatRate(totals.error_rate)} of all requests failed`;
  const slot = slots[worst];
  if (!slot) return `${average}.`;
  return `${average}. Highest: ${formatRate(worstRate)}, ${slotLabel(slot, usage.bucket, usage.timezone)}.`;
}

export function latencySummary(usage: Usage): string {
  const latency = usage.totals.latency_ms;
  if (latency?.p95 == null) return 'No latency was reported in this range.';
  const [p50, p95, p99] = [latency.p50, latency.p95, latency.p99].map((value) => formatLatency(value));
  return `Half of all requests took at most ${p50}, 95% at most ${p95}, 99% at most ${p99}.`;
}

export function countriesSummary(
  countries: readonly CountryRow[],
  total: number,
  nameOf: (code: string) => string,
): string {
  const [first] = countries;
  if (!first || total === 0) return 'No country is known for this range.';
  const share = formatPercent(first.requests / total);
  const count = countries.length;
  return `Requests came from ${count} ${count === 1 ? 'country' : 'countries'}, ${share} of them from ${nameOf(first.country)}.`;
}
