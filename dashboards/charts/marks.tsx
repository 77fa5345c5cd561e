import type { Slot } from '../time/buckets.ts';
import { type ChartMark, groupMarks, type MarkGroup } from './mark-groups.ts';
import { AXIS_WIDTH, END_PADDING } from './plot-measures.ts';

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
