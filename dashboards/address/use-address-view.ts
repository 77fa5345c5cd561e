import { useCallback, useEffect, useMemo } from 'preact/hooks';
import { browserZone } from '../time/zone-names.ts';
import { go } from './location.ts';

/** Ties what a page shows to the address bar: one step of the browser's history per change. */
export function useAddressView<View>(
  path: string,
  search: string,
  read: (search: URLSearchParams, viewerZone: string) => View,
  write: (view: View) => string,
): [view: View, onView: (next: View) => void] {
  const view = useMemo(() => read(new URLSearchParams(search), browserZone()), [search, read]);
  // After every drawing: a link to the bare path brings the same view, and its address must be spelled out again.
  useEffect(() => {
    const spelledOut = `${path}?${write(view)}`;
    // So that a copied address means the same in another time zone. It means what it meant before, so nobody has to
    // draw anything again.
    if (location.pathname + location.search !== spelledOut) history.replaceState(null, '', spelledOut);
  });
  const onView = useCallback((next: View) => go(`${path}?${write(next)}`), [path, write]);
  return [view, onView];
}
