import type { Store } from '../../workers/clickhouse/store.ts';
import type { Range } from './calendar.ts';
import { segmentsOf } from './segments.ts';
import { countryAndStatusRows, type KeyFilter } from './union.ts';
import { errorRate, MAX_BREAKDOWN_ROWS, oneKeySettings } from './usage-source.ts';

export interface Breakdowns {
  countries: { country: string; requests: number; error_rate: number }[];
  statuses: { status: number; requests: number }[];
}

interface BreakdownRow {
  part: 'country' | 'status';
  country: string;
  status: number;
  requests: number;
  errors: number;
}

/** Countries and statuses of the keys in the range, the most frequent first. */
export async function readCountriesAndStatuses(store: Store, range: Range, keys: KeyFilter): Promise<Breakdowns> {
  const rows = await store.query<BreakdownRow>(
    `SELECT part, country, status, sum(requests) AS requests, sum(errors) AS errors
     FROM (${countryAndStatusRows(segmentsOf(range.from, range.rowsTo, 'day'), keys)})
     GROUP BY part, country, status
     ORDER BY part, requests DESC, country, status LIMIT ${MAX_BREAKDOWN_ROWS} BY part`,
    keys.params,
    oneKeySettings(store),
  );
  return breakdownsOf(rows);
}

/** Answers of rows that are in order. */
export function breakdownsOf(rows: readonly BreakdownRow[]): Breakdowns {
  const of = (part: BreakdownRow['part']) => rows.filter((row) => row.part === part).slice(0, MAX_BREAKDOWN_ROWS);
  return {
    countries: of('country').map(({ country, requests, errors }) => ({
      country,
      requests,
      error_rate: errorRate(requests, errors),
    })),
    statuses: of('status').map(({ status, requests }) => ({ status, requests })),
  };
}
