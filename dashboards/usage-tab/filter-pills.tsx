import { countryName } from '../map/country-name.ts';
import { HostileText } from './hostile-text.tsx';
import { FILTERS, hasFilter, type UsageFilter } from './view.ts';

interface FilterPillsProps {
  filter: UsageFilter;
  /** False while the api's usage answer does not know filters: then only the request list obeys. */
  everywhere: boolean;
  onFilter: (filter: UsageFilter) => void;
}

export function FilterPills({ filter, everywhere, onFilter }: FilterPillsProps) {
  if (!hasFilter(filter)) return null;
  return (
    <div class="pills">
      {FILTERS.filter((name) => filter[name]).map((name) => (
        <span key={name} class="pill">
          <span class="dim">{name}</span>
          <HostileText value={name === 'country' ? countryName(filter[name]!) : filter[name]} />
          <button
            type="button"
            aria-label={`Remove the ${name} filter`}
            onClick={() => onFilter({ ...filter, [name]: undefined })}
          >
            ×
          </button>
        </span>
      ))}
      <button type="button" class="quiet" onClick={() => onFilter({})}>
        Clear all
      </button>
      {!everywhere && (
        <span class="dim">Applies to the recent requests only; all other figures show the whole key.</span>
      )}
    </div>
  );
}
