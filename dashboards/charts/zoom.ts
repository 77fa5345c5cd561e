import type { Slot } from '../time/buckets.ts';
import { MINUTE, type Span } from '../time/range.ts';

/** Below this the api has nothing finer to show. */
const SHORTEST = 5 * MINUTE;

/**
 * A dragged selection covers whole buckets: half a bar would show half its requests and look like a drop. The one that
 * still fills ends now: hours to come, held against full ones before, would look like one, too.
 */
export function snapToSlots(slots: readonly Slot[], from: number, to: number, now: number): Span | null {
  const touched = slots.filter((slot) => slot.end > from && slot.start < to);
  const first = touched[0];
  const last = touched.at(-1);
  if (!first || !last) return null;
  const end = Math.min(Math.max(last.end, first.start + SHORTEST), now);
  // A server's clock may be ahead of the viewer's.
  return end > first.start ? { from: first.start, to: end } : null;
}
