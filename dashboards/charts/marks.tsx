import type { Slot } from '../time/buckets.ts';
import { AXIS_WIDTH, END_PADDING } from './plot-measures.ts';

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

const SIGNS = { bad: '▲', warn: '◆', plain: '●' } as const;

/** The strongest of a group gives its look. */
function toneOf({ marks }: MarkGroup): ChartMark['tone'] {
  return (['bad', 'warn'] as const).find((tone) => marks.some((mark) => mark.tone === tone)) ?? 'plain';
}

/** Signs along the time axis; told apart by shape as well as by colour. */
export function Marks({ marks, slots }: { marks: readonly ChartMark[]; slots: readonly Slot[] }) {
  const groups = groupMarks(marks, slots);
  if (groups.length === 0) return null;
  return (
    <ul class="marks" aria-label="What happened" data-testid="marks">
      {groups.map((group) => {
        const tone = toneOf(group);
        const text = group.marks.map(({ what }) => what).join('\n');
        const href = group.marks.find((mark) => mark.href)?.href;
        const left = `calc(${AXIS_WIDTH}px + (100% - ${AXIS_WIDTH + END_PADDING}px) * ${group.place.toFixed(5)})`;
        return (
          <li key={group.place} style={{ left }} class={`mark mark-${tone}`} title={text}>
            {href ? (
              <a href={href} aria-label={text}>
                {SIGNS[tone]}
              </a>
            ) : (
              <span role="img" aria-label={text}>
                {SIGNS[tone]}
              </span>
            )}
          </li>
        );
      })}
    </ul>
  );
}
