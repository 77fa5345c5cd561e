import type { AlertEvidence, EvidenceChart } from '../../alert.ts';
import { formatDuration, formatFigure } from './figures.ts';
import type { Chart } from './model.ts';
import { type Clock, shortMoment } from './moments.ts';

/** Wider is not readable on a phone. */
export const MAX_BARS = 48;
const MINUTE_MS = 60_000;
const BLOCKS = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'] as const;

/**
 * The chart of an alert with its labels; null when there is nothing to draw.
 * @param openedAt since when it is open, RFC 3339: what was judged then and later has the colour of the alert
 */
export function chartOf(evidence: AlertEvidence, openedAt: string, clock: Clock): Chart | null {
  const given = evidence.chart;
  const startMs = Date.parse(given?.start ?? '');
  if (!given || given.values.length < 2 || Number.isNaN(startMs) || !(given.bucketMinutes > 0)) return null;
  const chart = fewerBars(given);
  const endMs = startMs + given.values.length * given.bucketMinutes * MINUTE_MS;
  const openMinutes = Math.max(0, (endMs - Date.parse(openedAt)) / MINUTE_MS) || 0;
  const judgedMinutes = openMinutes + (evidence.windowMinutes ?? given.bucketMinutes);
  const judged = Math.min(chart.values.length, Math.max(1, Math.ceil(judgedMinutes / chart.bucketMinutes)));
  // Of a limit the chart shows requests, while the value is a share of the limit.
  const unit = evidence.limit ? 'requests' : evidence.unit;
  const bucket = formatDuration(given.bucketMinutes * MINUTE_MS);
  const startLabel = shortMoment(startMs, clock);
  const endLabel = shortMoment(endMs, clock);
  const topLabel = `${formatFigure(Math.max(...chart.values), unit)} in ${bucket}`;
  const last = formatFigure(chart.values.at(-1)!, unit);
  const description = `Chart from ${startLabel} to ${endLabel}: at most ${topLabel}, last ${last}.`;
  return { ...chart, judged, startLabel, endLabel, topLabel, description };
}

/** Gathers neighbours until they fit. The highest of each group stays visible: a mean would hide the spike. */
function fewerBars(chart: EvidenceChart): EvidenceChart {
  const size = Math.ceil(chart.values.length / MAX_BARS);
  const { values } = chart;
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
