/** How figures are said in alerts. */
import type { EvidenceChart } from '../alert.ts';
import { BUCKET_MS } from './settled.ts';

/** `38 %`, `0.4 %`, `0 %`. */
export function percentText(share: number): string {
  const value = share * 100;
  if (value === 0) return '0 %';
  if (value < 0.1) return 'less than 0.1 %';
  return `${value < 10 ? Number(value.toFixed(1)) : Math.round(value)} %`;
}

/** With thousands separators; small expectations with one decimal. */
export function countText(value: number): string {
  return value < 10 && !Number.isInteger(value) ? value.toFixed(1) : Math.round(value).toLocaleString('en');
}

/** `16:40 UTC`, with the day where it is not that of the reference. */
export function clockText(ms: number, referenceMs: number): string {
  const [day, time] = [new Date(ms).toISOString().slice(0, 10), new Date(ms).toISOString().slice(11, 16)];
  return day === new Date(referenceMs).toISOString().slice(0, 10) ? `${time} UTC` : `${time} UTC on ${day}`;
}

/** `35 minutes`, `3 hours`, `2 days`. */
export function spanText(minutes: number): string {
  if (minutes < 120) return `${Math.round(minutes)} minutes`;
  return minutes < 2_880 ? `${Math.round(minutes / 60)} hours` : `${Math.round(minutes / 1_440)} days`;
}

const DIGITS = 4;

/** A chart whose last bucket ends at `atMs`. */
export function chartOf(atMs: number, values: readonly number[], expected: readonly (number | null)[]): EvidenceChart {
  const round = (value: number) => Number(value.toPrecision(DIGITS));
  return {
    start: new Date(atMs - values.length * BUCKET_MS).toISOString(),
    bucketMinutes: BUCKET_MS / 60_000,
    values: values.map(round),
    expected: expected.map((one) => (one === null ? null : round(one))),
  };
}
