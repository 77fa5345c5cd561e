import { countriesSummary } from '../charts/summary.ts';
import { formatCount, formatPercent } from '../format/number.ts';
import type { Usage } from '../http/contract.ts';
import { countryName, isKnownCountry } from '../map/country-name.ts';
import { HostileText } from './hostile-text.tsx';
import { RankedTable } from './ranked-table.tsx';
import { useLazy } from './use-lazy.ts';
import type { UsageFilter } from './view.ts';

interface GeographyProps {
  usage: Usage;
  filter: UsageFilter;
  onToggle: (change: UsageFilter) => void;
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

export function Geography({ usage, filter, onToggle }: GeographyProps) {
  const map = useLazy(loadMap);
  const summary = countriesSummary(usage, countryName);
  const total = usage.totals.requests;
  return (
    <div class="pair pair-wide">
      <section class="panel" aria-label="Requests by country, map">
        <div class="panel-head">
          <h2>Where requests come from</h2>
          <p class="panel-note">{summary}</p>
        </div>
        {map ? (
          <map.default
            countries={usage.countries}
            total={total}
            summary={summary}
            selected={filter.country}
            onSelect={(country) => onToggle({ country })}
          />
        ) : (
          <div class="map skeleton" />
        )}
        <Attribution />
      </section>
      <RankedTable
        title="Countries"
        testId="countries-table"
        rows={usage.countries}
        rowKey={(row) => row.country}
        weight={(row) => (usage.countries[0]?.requests ? row.requests / usage.countries[0].requests : 0)}
        chosen={(row) => filter.country === row.country}
        onChoose={(row) => onToggle({ country: row.country })}
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
