import { useEffect, useState } from 'preact/hooks';

/**
 * Counts theme changes, by the system, the page or the host element of a shadow tree, so that canvases know when to
 * paint again.
 */
export function useThemeChange(place: { current: Element | null }): number {
  const [count, setCount] = useState(0);
  useEffect(() => {
    const changed = () => setCount((before) => before + 1);
    const system = matchMedia('(prefers-color-scheme: dark)');
    system.addEventListener('change', changed);
    const page = new MutationObserver(changed);
    page.observe(document.documentElement, { attributes: true, attributeFilter: ['data-theme'] });
    const root = place.current?.getRootNode();
    if (root instanceof ShadowRoot) {
      page.observe(root.host, { attributes: true, attributeFilter: ['theme', 'style', 'class'] });
    }
    return () => {
      system.removeEventListener('change', changed);
      page.disconnect();
    };
  }, [place]);
  return count;
}
