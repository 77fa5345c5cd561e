/** Numbers as the viewer's locale writes them. `locale` is only passed by tests. */
const formats = new Map<string, Intl.NumberFormat>();

// Building an Intl.NumberFormat costs about 50 times a format() call, and a table formats hundreds of cells.
export function formatNumber(value: number, options: Intl.NumberFormatOptions, locale?: string): string {
  const name = `${locale ?? ''}${JSON.stringify(options)}`;
  let found = formats.get(name);
  if (!found) formats.set(name, (found = new Intl.NumberFormat(locale, options)));
  return found.format(value);
}

const NO_VALUE = '–';

export function formatCount(value: number | null | undefined, locale?: string): string {
  return value == null ? NO_VALUE : formatNumber(value, { maximumFractionDigits: 0 }, locale);
}

/** Exact while it fits a card, then three significant digits (1.23M): the exact figure belongs in a title. */
export function formatCompact(value: number | null | undefined, locale?: string): string {
  if (value == null) return NO_VALUE;
  if (Math.abs(value) < 100_000) return formatCount(value, locale);
  return formatNumber(value, { notation: 'compact', maximumSignificantDigits: 3 }, locale);
}

/** A rate that is not zero never reads as 0 %: one failed request in a million is the one people look for. */
export function formatPercent(ratio: number | null | undefined, locale?: string): string {
  if (ratio == null || Number.isNaN(ratio)) return NO_VALUE;
  if (ratio > 0 && ratio < 0.001)
    return `<${formatNumber(0.001, { style: 'percent', maximumFractionDigits: 1 }, locale)}`;
  const digits = ratio === 0 || ratio >= 0.9995 ? 0 : ratio < 0.01 ? 2 : 1;
  return formatNumber(ratio, { style: 'percent', maximumFractionDigits: digits }, locale);
}

export function formatMilliseconds(ms: number | null | undefined, locale?: string): string {
  if (ms == null) return NO_VALUE;
  if (ms > 0 && ms < 1) return '<1 ms';
  if (ms < 1000) return `${formatNumber(ms, { maximumFractionDigits: ms < 10 ? 1 : 0 }, locale)} ms`;
  if (ms < 60_000) return `${formatNumber(ms / 1000, { maximumFractionDigits: ms < 10_000 ? 2 : 1 }, locale)} s`;
  return `${formatNumber(ms / 60_000, { maximumFractionDigits: 1 }, locale)} min`;
}

/** A rate as it was measured, to be read off a chart: a small one keeps two digits where prose says "<0.1%". */
export function formatRate(ratio: number | null | undefined, locale?: string): string {
  if (ratio == null || !(ratio > 0 && ratio < 0.001)) return formatPercent(ratio, locale);
  return formatNumber(ratio, { style: 'percent', maximumSignificantDigits: 2 }, locale);
}

/** How long requests took. Below a millisecond, too: there are keys none of whose requests takes one. */
export function formatLatency(ms: number | null | undefined, locale?: string): string {
  if (ms == null || !(ms > 0 && ms < 1)) return formatMilliseconds(ms, locale);
  return `${formatNumber(ms, { maximumSignificantDigits: 2 }, locale)} ms`;
}

const BYTE_UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const;

/** Binary units, as the settings that bound them are written. */
export function formatBytes(bytes: number, locale?: string): string {
  const power = bytes < 1 ? 0 : Math.min(BYTE_UNITS.length - 1, Math.floor(Math.log2(bytes) / 10));
  return `${formatNumber(bytes / 1024 ** power, { maximumSignificantDigits: 3 }, locale)} ${BYTE_UNITS[power]}`;
}
