import { useCallback, useMemo } from 'preact/hooks';
import { resolveRange, type Span, shiftRange } from '../time/range.ts';
import type { TimeView } from '../time/time-view.ts';
import { useNow } from './use-now.ts';
import { useRangeKeys } from './use-range-keys.ts';

interface PeriodOptions {
  /** False inside a foreign page, whose arrow keys are its own. */
  pageKeys?: boolean;
}

/** The span a view stands for right now; a refresh and the arrow keys move it. */
export function usePeriod<View extends TimeView>(
  view: View,
  onView: (view: View) => void,
  { pageKeys = true }: PeriodOptions = {},
): { now: number; span: Span; refresh: () => void } {
  const { now, refresh } = useNow();
  const span = useMemo(() => resolveRange(view.range, now, view.zone), [view.range, view.zone, now]);
  const shift = useCallback(
    (direction: -1 | 1) => onView({ ...view, live: false, range: shiftRange(span, direction, Date.now(), view.zone) }),
    [view, span, onView],
  );
  useRangeKeys(shift, pageKeys);
  return { now, span, refresh };
}
