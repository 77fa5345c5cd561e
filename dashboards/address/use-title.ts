import { useEffect } from 'preact/hooks';

/** A browser shows a 4 KB title as it is. */
const LONGEST = 60;

export function useTitle(name: string): void {
  useEffect(() => {
    document.title = `${name.slice(0, LONGEST)} · Keytally`;
  }, [name]);
}
