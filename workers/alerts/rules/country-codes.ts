import { countryOf } from '../../../ingest/client-address.ts';

const names = new Intl.DisplayNames('en', { type: 'region', fallback: 'none' });

/** Whether it is a code that requests can come with, in either case: ISO 3166-1 alpha-2, and no code that another one replaced. */
export function isCountryCode(value: string): boolean {
  const code = countryOf(value);
  return code !== '' && names.of(code) !== undefined && new Intl.Locale(`und-${code}`).region === code;
}

/** The same settings with their country codes as requests carry them. */
export function withUpperCaseCountries(settings: Record<string, unknown>): Record<string, unknown> {
  const { expected_countries: countries } = settings;
  if (!Array.isArray(countries)) return settings;
  const upper = countries.map((code: unknown) => (typeof code === 'string' ? code.toUpperCase() : code));
  return { ...settings, expected_countries: upper };
}
