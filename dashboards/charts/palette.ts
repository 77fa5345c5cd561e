/** Canvas cannot read CSS variables by itself; this is where the charts take the theme's colours from. */
export interface Palette {
  axis: string;
  grid: string;
  surface: string;
  success: string;
  redirect: string;
  client: string;
  server: string;
  p50: string;
  p95: string;
  p99: string;
  before: string;
  limit: string;
  font: string;
}

export function readPalette(element: Element): Palette {
  const style = getComputedStyle(element);
  const read = (name: string) => style.getPropertyValue(name).trim();
  return {
    axis: read('--text-dim'),
    grid: read('--grid'),
    surface: read('--surface'),
    success: read('--status-2xx'),
    redirect: read('--status-3xx'),
    client: read('--status-4xx'),
    server: read('--status-5xx'),
    p50: read('--latency-p50'),
    p95: read('--latency-p95'),
    p99: read('--latency-p99'),
    before: read('--text'),
    limit: read('--bad'),
    font: `11px ${style.fontFamily}`,
  };
}
