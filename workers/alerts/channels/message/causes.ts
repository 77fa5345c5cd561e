import { STATUS_CODES } from 'node:http';
import type { AlertKind, Contribution } from '../../alert.ts';
import { formatRatio } from './figures.ts';
import type { Cause } from './model.ts';
import { code, type Phrase } from './phrase.ts';

/** More rows nobody reads; the page of the key has them all. */
const MAX_CAUSES = 6;

const NEARLY_ALL = 0.99;

const TITLES: Partial<Record<AlertKind, string>> = {
  error_rate: 'Where the errors are',
  near_limit: 'What uses it',
  latency: 'What was called',
  new_country: 'What was called',
  country_mix: 'Where the requests come from',
};

/** What explains an alert most, as rows of a table; null when nothing is known. */
export function causesOf(kind: AlertKind, contributions: readonly Contribution[] | undefined) {
  const telling = (contributions ?? []).filter((one) => saysSomething(kind, one));
  if (telling.length === 0) return null;
  return { title: TITLES[kind] ?? 'What explains it most', rows: telling.slice(0, MAX_CAUSES).map(causeOf) };
}

/** What was all of it before and is all of it now explains nothing, nor does the country of a new country. */
function saysSomething(kind: AlertKind, { dimension, share, usualShare }: Contribution): boolean {
  if (kind === 'new_country' && dimension === 'country') return false;
  return share < NEARLY_ALL || usualShare === null || usualShare < NEARLY_ALL;
}

function causeOf(contribution: Contribution): Cause {
  const { share, usualShare } = contribution;
  const usual = usualShare === null ? '' : usualShare === 0 ? 'new here' : `usually ${formatRatio(usualShare)}`;
  return { what: whatOf(contribution), share: formatRatio(share), usual };
}

function whatOf({ dimension, value }: Contribution): Phrase {
  if (dimension === 'country') return [countryName(value)];
  if (dimension === 'status' && /^[1-5]\d\d$/.test(value)) return [`${value} ${STATUS_CODES[value] ?? ''}`.trim()];
  return [code(value)];
}

const NAMES = new Intl.DisplayNames('en', { type: 'region', fallback: 'none' });

/** Name of a country. Only two letters are ever looked up; anything else came from traffic and is not repeated. */
export function countryName(value: string): string {
  const known = /^[A-Z]{2}$/.test(value) && !['XX', 'ZZ', 'T1'].includes(value) ? NAMES.of(value) : undefined;
  return known ?? 'an unknown country';
}
