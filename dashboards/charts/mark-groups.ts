import type { Slot } from '../time/buckets.ts';

/** Something that happened at a moment, beside the counts. */
export interface ChartMark {
  /** Epoch ms. */
  at: number;
  what: string;
  tone: 'bad' | 'warn' | 'plain';
  /** Where more of it stands; a page that embeds the chart has none. */
  href?: string;
}

export interface MarkGroup {
  /** 0..1 of the axis. */
  place: number;
  marks: ChartMark[];
}

/** Marks nearer than this share of the axis would lie on each other. */
const NEAR = 0.012;
const MOST = 40;

/** Marks within the chart's time, those that would touch taken together. */
export function groupMarks(marks: readonly ChartMark[], slots: readonly Slot[]): MarkGroup[] {
  const from = slots[0]?.start ?? 0;
  const to = slots.at(-1)?.end ?? 0;
  const groups: MarkGroup[] = [];
  for (const mark of [...marks].sort((a, b) => a.at - b.at)) {
    if (mark.at < from || mark.at >= to) continue;
    const place = (mark.at - from) / (to - from);
    const last = groups.at(-1);
    if (last && (place - last.place < NEAR || groups.length >= MOST)) last.marks.push(mark);
    else groups.push({ place, marks: [mark] });
  }
  return groups;
}
