import { useCallback, useState } from 'preact/hooks';

/**
 * The moment the page speaks of. It stands still between refreshes, so that every part of the page asks for the same
 * span.
 */
export function useNow(): { now: number; refresh: () => void } {
  const [now, setNow] = useState(() => Date.now());
  const refresh = useCallback(() => setNow(Date.now()), []);
  return { now, refresh };
}
