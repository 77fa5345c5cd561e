import { countryName } from '../map/country-name.ts';
import { Pill } from './pill.tsx';

interface FilterPillsProps<Name extends string> {
  /** Filters by name; those without a value are not shown. */
  filter: Partial<Record<Name, string>>;
  order: readonly Name[];
  /** What a filter is called where its name is not a word, e.g. key_id. */
  labels?: Partial<Record<Name, string>>;
  onFilter: (filter: Partial<Record<Name, string>>) => void;
}

/** The filters in force, each with its own way out. */
export function FilterPills<Name extends string>({ filter, order, labels, onFilter }: FilterPillsProps<Name>) {
  const active = order.filter((name) => filter[name]);
  if (active.length === 0) return null;
  return (
    <div class="pills" data-testid="filter-pills">
      {active.map((name) => {
        const label = labels?.[name] ?? name;
        return (
          <Pill
            key={name}
            name={label}
            value={name === 'country' ? countryName(filter[name]!) : filter[name]}
            onRemove={() => onFilter({ ...filter, [name]: undefined })}
          />
        );
      })}
      {active.length > 1 && (
        <button type="button" class="quiet" onClick={() => onFilter({})}>
          Clear all
        </button>
      )}
    </div>
  );
}
