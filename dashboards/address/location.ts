import { useEffect, useState } from 'preact/hooks';

/** The address bar as the console's only store of state. */
export interface Place {
  path: string;
  search: string;
}

const MOVED = 'keytally:moved';

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
    const moved = () => setPlace(here());
    window.addEventListener('popstate', moved);
    window.addEventListener(MOVED, moved);
    // A page may have moved on between the first drawing and this moment.
    moved();
    return () => {
      window.removeEventListener('popstate', moved);
      window.removeEventListener(MOVED, moved);
    };
  }, []);
  return place;
}
