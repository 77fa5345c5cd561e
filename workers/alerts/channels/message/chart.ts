import type { AlertEvidence, EvidenceChart } from '../../alert.ts';
import { type FigureUnit, formatFigure } from './figures.ts';
import type { Chart } from './model.ts';
import { type Clock, shortMoment } from './moments.ts';

/** Wider is not readable on a phone. */
export const MAX_BARS = 48;
const BLOCKS = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'] as const;

/** The chart of an alert with its labels; null when there is nothing to draw. */
export function chartOf(evidence: AlertEvidence, clock: Clock): Chart | null {
  const given = evidence.chart;
  const startMs = Date.parse(given?.start ?? '');
  if (!given || given.values.length < 2 || Number.isNaN(startMs) || !(given.bucketMinutes > 0)) return null;
  const chart = fewerBars(given);
  const endMs = startMs + given.values.length * given.bucketMinutes * 60_000;
  const judgedMinutes = evidence.windowMinutes ?? given.bucketMinutes;
  const judged = Math.min(chart.values.length, Math.max(1, Math.ceil(judgedMinutes / chart.bucketMinutes)));
  return { ...chart, judged, ...labels(chart, startMs, endMs, evidence.unit, clock) };
}

function labels(chart: EvidenceChart, startMs: number, endMs: number, unit: FigureUnit | undefined, clock: Clock) {
  const startLabel = shortMoment(startMs, clock);
  const endLabel = shortMoment(endMs, clock);
  const topLabel = formatFigure(Math.max(...chart.values), unit);
  const last = formatFigure(chart.values.at(-1)!, unit);
  const description = `Chart from ${startLabel} to ${endLabel}: at most ${topLabel}, last ${last}.`;
  return { startLabel, endLabel, topLabel, description };
}

/** Gathers neighbours until they fit. The highest of each group stays visible: a mean would hide the spike. */
function fewerBars(chart: EvidenceChart): EvidenceChart {
  const size = Math.ceil(chart.values.length / MAX_BARS);
  const values = chart.values.map((value) => (Number.isFinite(value) && value > 0 ? value : 0));
  const expected = values.map((_, index) => chart.expected[index] ?? null);
  if (size <= 1) return { ...chart, values, expected };
  return {
    ...chart,
    bucketMinutes: chart.bucketMinutes * size,
    values: groups(values, size).map((group) => Math.max(...group)),
    expected: groups(expected, size).map((group) => {
      const known = group.filter((one) => one !== null);
      return known.length === 0 ? null : Math.max(...known);
    }),
  };
}

/** Groups from the right: the newest group must be whole. */
function groups<T>(values: readonly T[], size: number): T[][] {
  const first = values.length % size;
  const starts = first === 0 ? [] : [values.slice(0, first)];
  for (let at = first; at < values.length; at += size) starts.push(values.slice(at, at + size));
  return starts;
}

/** One character per bar, for plain text and chats. Zero is the lowest block, so that the line keeps its length. */
export function blockLine(values: readonly number[]): string {
  const top = Math.max(...values, 0);
  return values
    .map((value) => {
      if (top === 0 || value <= 0) return BLOCKS[0];
      return BLOCKS[Math.min(BLOCKS.length - 1, Math.max(1, Math.ceil((value / top) * (BLOCKS.length - 1))))]!;
    })
    .join('');
}
