import { useEffect, useState } from 'preact/hooks';

/** Counts theme changes, by the system or by the page, so that canvases know when to paint again. */
export function useThemeChange(): number {
  const [count, setCount] = useState(0);
  useEffect(() => {
    const changed = () => setCount((before) => before + 1);
    const system = matchMedia('(prefers-color-scheme: dark)');
    system.addEventListener('change', changed);
    const page = new MutationObserver(changed);
    page.observe(document.documentElement, { attributes: true, attributeFilter: ['data-theme'] });
    return () => {
      system.removeEventListener('change', changed);
      page.disconnect();
    };
  }, []);
  return count;
}
