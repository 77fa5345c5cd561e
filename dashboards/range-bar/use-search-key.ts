import type { RefObject } from 'preact';
import { useEffect } from 'preact/hooks';
import { plainKey } from './plain-key.ts';

/** `/` goes to the page's field. */
export function useSearchKey(field: RefObject<HTMLInputElement | null>): void {
  useEffect(() => {
    const pressed = (event: KeyboardEvent) => {
      if (plainKey(event) !== '/') return;
      // Else the slash itself would be typed into the field.
      event.preventDefault();
      field.current?.select();
    };
    document.addEventListener('keydown', pressed);
    return () => document.removeEventListener('keydown', pressed);
  }, [field]);
}
