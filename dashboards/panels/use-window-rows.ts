import { useEffect, useState } from 'preact/hooks';

export interface RowWindow {
  first: number;
  /** Not included. */
  end: number;
}

/** Rows drawn beyond the screen, so that a flick of the wheel does not outrun the drawing. */
const MARGIN = 20;
/** The window moves in steps: every step is one drawing. */
const STEP = 10;

/** Which rows of equal height are on the screen, given where the list begins on it. */
export function rowsInView(count: number, height: number, top: number, screen: number): RowWindow {
  const visible = Math.floor(-top / height);
  const first = Math.floor(Math.max(0, visible - MARGIN) / STEP) * STEP;
  const end = Math.ceil((visible + screen / height + MARGIN) / STEP) * STEP;
  return { first: Math.min(first, count), end: Math.max(0, Math.min(count, end)) };
}

/**
 * Keeps a long list short in the page: rows far off the screen are not there. Find-in-page does not see those; the
 * list's own search does.
 */
export function useWindowRows(list: { current: HTMLElement | null }, count: number, height: number): RowWindow {
  const [view, setView] = useState<RowWindow>({ first: 0, end: Math.min(count, 60) });
  useEffect(() => {
    let asked = 0;
    const look = () => {
      asked = 0;
      if (!list.current) return;
      const next = rowsInView(count, height, list.current.getBoundingClientRect().top, window.innerHeight);
      setView((before) => (before.first === next.first && before.end === next.end ? before : next));
    };
    const scrolled = () => {
      if (asked === 0) asked = requestAnimationFrame(look);
    };
    look();
    addEventListener('scroll', scrolled, { passive: true });
    addEventListener('resize', scrolled);
    return () => {
      cancelAnimationFrame(asked);
      removeEventListener('scroll', scrolled);
      removeEventListener('resize', scrolled);
    };
  }, [list, count, height]);
  return view;
}
