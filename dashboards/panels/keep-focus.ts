import type { RefObject } from 'preact';
import { useLayoutEffect } from 'preact/hooks';
import { hasMoved } from '../address/location.ts';

/**
 * For a control that is about to go: when nothing else takes the focus, what stands beside it gets it, or else the page's
 * heading. Left on `body`, whoever works by keyboard or listens starts again at the top of the page.
 */
export function keepFocus(beside?: HTMLElement | null, how?: FocusOptions): void {
  // After the drawing under way: only then is it known what is left, and which page.
  queueMicrotask(() => {
    if (document.activeElement !== document.body) return;
    if (beside?.isConnected) return beside.focus(how);
    const heading = document.querySelector<HTMLElement>('main h1');
    if (!heading) return;
    heading.tabIndex = -1;
    heading.focus(how);
  });
}

/** The same for a control that may be taken away at any time, e.g. by a later answer to what it asked for. */
export function useKeptFocus(control: RefObject<HTMLElement | null>): void {
  useLayoutEffect(() => {
    const own = control.current;
    return () => {
      // In a list, the entry it belongs to stays.
      if (document.activeElement === own) keepFocus(own?.closest('li')?.querySelector<HTMLElement>('a.key-link'));
    };
  }, [control]);
}

/**
 * The same for a link, which goes with its page.
 * @param place name of the page that was come to; '' while it has no heading yet
 */
export function useArrival(place: string): void {
  useLayoutEffect(() => {
    // "Back" returns to where one was on the page.
    if (place !== '' && hasMoved()) keepFocus(null, { preventScroll: true });
  }, [place]);
}
