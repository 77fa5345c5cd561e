import { useEffect, useState } from 'preact/hooks';

/** The address bar as the console's only store of state. */
export interface Place {
  path: string;
  search: string;
}

const MOVED = 'keytally:moved';

let moved = false;

/** Whether one came here from another page of the console, and not by loading it. */
export function hasMoved(): boolean {
  return moved;
}

export function here(): Place {
  return { path: location.pathname, search: location.search };
}

export function go(address: string, how: 'push' | 'replace' = 'push'): void {
  if (address === location.pathname + location.search) return;
  if (how === 'push') history.pushState(null, '', address);
  else history.replaceState(null, '', address);
  window.dispatchEvent(new Event(MOVED));
}

export function usePlace(): Place {
  const [place, setPlace] = useState(here);
  useEffect(() => {
    const follow = () => setPlace(here());
    const followed = () => {
      moved = true;
      follow();
    };
    window.addEventListener('popstate', followed);
    window.addEventListener(MOVED, followed);
    // A page may have moved on between the first drawing and this moment.
    follow();
    return () => {
      window.removeEventListener('popstate', followed);
      window.removeEventListener(MOVED, followed);
    };
  }, []);
  return place;
}
