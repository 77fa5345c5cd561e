import { useEffect } from 'preact/hooks';
import { plainKey } from './plain-key.ts';

/** Left and right arrows turn to the period before and after. */
export function useRangeKeys(shift: (direction: -1 | 1) => void, active = true): void {
  useEffect(() => {
    if (!active) return;
    const pressed = (event: KeyboardEvent) => {
      const key = plainKey(event);
      if (key === 'ArrowLeft') shift(-1);
      if (key === 'ArrowRight') shift(1);
    };
    document.addEventListener('keydown', pressed);
    return () => document.removeEventListener('keydown', pressed);
  }, [shift, active]);
}
