import { formatCount, formatPercent } from '../format/number.ts';
import type { CountryRow } from '../http/contract/usage.ts';
import { countryName } from './country-name.ts';

/** The country being pointed at, and where on the map, as shares of its width and height. */
export interface Spot {
  code: string;
  x: number;
  y: number;
}

export function MapReading({ code, row, total }: { code: string; row: CountryRow | undefined; total: number }) {
  return (
    <>
      <div class="tooltip-title">{countryName(code)}</div>
      <div class="tooltip-row">
        <span>Requests</span>
        <b>{formatCount(row?.requests ?? 0)}</b>
        <span class="dim">{row && total ? formatPercent(row.requests / total) : ''}</span>
      </div>
      {row && (
        <div class="tooltip-row">
          <span>Error rate</span>
          <b>{formatPercent(row.error_rate)}</b>
        </div>
      )}
    </>
  );
}
