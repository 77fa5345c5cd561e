import { useCallback, useEffect, useState } from 'preact/hooks';

/**
 * The moment the page speaks of. It stands still between refreshes, so that every part of the page asks for the same
 * span, and moves by itself only in live mode while somebody is looking.
 */
export function useNow(live: boolean, everyMs: number): { now: number; refresh: () => void } {
  const [now, setNow] = useState(() => Date.now());
  const refresh = useCallback(() => setNow(Date.now()), []);
  useEffect(() => {
    if (!live) return;
    const timer = setInterval(() => document.visibilityState === 'visible' && refresh(), everyMs);
    return () => clearInterval(timer);
  }, [live, everyMs, refresh]);
  return { now, refresh };
}
