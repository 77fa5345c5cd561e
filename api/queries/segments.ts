import { DAY_SECONDS, QUARTER_HOUR_SECONDS } from './calendar.ts';

export type Tier = 'minute' | 'quarter_hour' | 'day';

/** A part of a range and the coarsest rollup that answers it exactly. Epoch seconds, `to` not included. */
export interface Segment {
  tier: Tier;
  from: number;
  to: number;
}

const floor = (at: number, step: number) => Math.floor(at / step) * step;
const ceil = (at: number, step: number) => Math.ceil(at / step) * step;

/**
 * Cuts a range of whole minutes into parts that whole rollup rows cover: minutes at the edges, quarter hours
 * inside, UTC days in the middle. The parts touch, never overlap and cover the range, so sums over them are exact.
 *
 * @param coarsest rows coarser than this would fall across two buckets of the answer
 */
export function segmentsOf(from: number, to: number, coarsest: Tier): Segment[] {
  if (coarsest === 'minute') return [{ tier: 'minute', from, to }];
  const inner = innerPart(from, to, QUARTER_HOUR_SECONDS);
  if (!inner) return [{ tier: 'minute', from, to }];
  const segments: Segment[] = [{ tier: 'minute', from, to: inner.from }, ...middle(inner.from, inner.to, coarsest)];
  segments.push({ tier: 'minute', from: inner.to, to });
  return segments.filter((segment) => segment.from < segment.to);
}

function middle(from: number, to: number, coarsest: Tier): Segment[] {
  const days = coarsest === 'day' ? innerPart(from, to, DAY_SECONDS) : undefined;
  if (!days) return [{ tier: 'quarter_hour', from, to }];
  return [
    { tier: 'quarter_hour', from, to: days.from },
    { tier: 'day', from: days.from, to: days.to },
    { tier: 'quarter_hour', from: days.to, to },
  ];
}

/** The largest part made of whole steps; undefined when there is none. */
function innerPart(from: number, to: number, step: number): { from: number; to: number } | undefined {
  const inner = { from: ceil(from, step), to: floor(to, step) };
  return inner.from < inner.to ? inner : undefined;
}
