let names: Intl.DisplayNames | undefined;

/** What the lookup answers for private, unknown and anonymous addresses. */
const UNKNOWN = new Set(['', 'XX', 'ZZ', 'T1']);

export function isKnownCountry(code: string | null): code is string {
  return code !== null && !UNKNOWN.has(code);
}

/** In the viewer's language. A code nobody knows is shown as it came. */
export function countryName(code: string | null): string {
  if (!isKnownCountry(code)) return 'Unknown';
  names ??= new Intl.DisplayNames(undefined, { type: 'region', fallback: 'code' });
  try {
    return names.of(code) ?? code;
  } catch {
    return code;
  }
}
