/**
 * The pause that `Retry-After` names (RFC 9110, section 10.2.3): seconds or an HTTP date.
 * @param maxMs a longer pause is cut to this
 * @returns milliseconds from now; undefined when it names none
 */
export function retryAfterMs(value: string | undefined, nowMs: number, maxMs: number): number | undefined {
  const text = value?.trim() ?? '';
  const isDate = /^[A-Z][a-z]{2,8}, ?\d{2}[ -][A-Z][a-z]{2}[ -]\d{2,4} \d{2}:\d{2}:\d{2} GMT$/.test(text);
  const ms = /^\d{1,10}$/.test(text) ? Number(text) * 1_000 : isDate ? Date.parse(text) - nowMs : Number.NaN;
  return Number.isNaN(ms) ? undefined : Math.min(maxMs, Math.max(0, ms));
}
