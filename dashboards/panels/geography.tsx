import { countriesSummary } from '../charts/summary.ts';
import { formatCount, formatPercent } from '../format/number.ts';
import type { CountryRow } from '../http/contract/usage.ts';
import { useLazy } from '../http/use-lazy.ts';
import { countryName, isKnownCountry } from '../map/country-name.ts';
import { HostileText } from './hostile-text.tsx';
import { NotLoaded } from './not-loaded.tsx';
import { RankedTable } from './ranked-table.tsx';

interface GeographyProps {
  countries: readonly CountryRow[];
  /** Requests of all countries, and of none known. */
  total: number;
  selected?: string;
  onSelect: (country: string) => void;
}

export const loadMap = () => import('../map/world-map.tsx');

function Attribution() {
  // The licence of the data (CC-BY-4.0) asks for this link on every page that shows its results.
  return (
    <p class="attribution">
      <a href="https://db-ip.com" rel="noreferrer" target="_blank">
        IP geolocation by DB-IP
      </a>
    </p>
  );
}

export function Geography({ countries, total, selected, onSelect }: GeographyProps) {
  const { module: map, failed } = useLazy(loadMap);
  const summary = countriesSummary(countries, total, countryName);
  return (
    <div class="pair pair-wide">
      <section class="panel" aria-label="Requests by country, map">
        <div class="panel-head">
          <h2>Where requests come from</h2>
          <p class="panel-note">{summary}</p>
        </div>
        {map ? (
          <map.default countries={countries} total={total} summary={summary} selected={selected} onSelect={onSelect} />
        ) : failed ? (
          <NotLoaded what="The map" />
        ) : (
          <div class="map skeleton" />
        )}
        <Attribution />
      </section>
      <RankedTable
        title="Countries"
        testId="countries-table"
        rows={countries}
        rowKey={(row) => row.country}
        weight={(row) => (countries[0]?.requests ? row.requests / countries[0].requests : 0)}
        chosen={(row) => selected === row.country}
        onChoose={(row) => onSelect(row.country)}
        choosable={(row) => row.country !== ''}
        empty="Countries appear when requests carry an ip or a country."
        columns={[
          {
            name: 'Country',
            cell: (row) => (
              <>
                <HostileText value={countryName(row.country)} />{' '}
                {isKnownCountry(row.country) && <span class="dim mono">{row.country}</span>}
              </>
            ),
          },
          { name: 'Requests', numeric: true, cell: (row) => formatCount(row.requests) },
          { name: 'Share', numeric: true, cell: (row) => formatPercent(total ? row.requests / total : null) },
          { name: 'Errors', numeric: true, cell: (row) => formatPercent(row.error_rate) },
        ]}
      />
    </div>
  );
}
