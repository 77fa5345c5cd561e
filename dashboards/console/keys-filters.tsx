import type { RefObject } from 'preact';
import { useCallback } from 'preact/hooks';
import { ENVIRONMENTS } from '../forms/environments.ts';
import { Choice, FilterBar, SearchField } from '../forms/filter-bar.tsx';
import { Pill } from '../panels/pill.tsx';
import type { KeyListQuery } from './key-list-query.ts';

interface KeysFiltersProps {
  query: KeyListQuery;
  searchField: RefObject<HTMLInputElement | null>;
  onQuery: (query: KeyListQuery) => void;
}

const STATUSES = ['active', 'inactive', 'expired', 'discovered', 'deleted'];

export function KeysFilters({ query, searchField, onQuery }: KeysFiltersProps) {
  const onSearch = useCallback((search: string) => onQuery({ ...query, search }), [query, onQuery]);
  return (
    <FilterBar>
      <SearchField
        label="Search keys"
        placeholder="Search by name, id, prefix…"
        value={query.search}
        field={searchField}
        onValue={onSearch}
      />
      <Choice
        name="Status"
        value={query.status}
        options={STATUSES.map((status) => [status, status])}
        onChoose={(status) => onQuery({ ...query, status })}
      />
      <Choice
        name="Environment"
        value={query.environment}
        options={ENVIRONMENTS}
        onChoose={(environment) => onQuery({ ...query, environment })}
      />
      <Choice
        name="Use"
        value={query.unusedDays}
        options={['7', '30', '90'].map((days) => [days, `unused ${days} days`])}
        onChoose={(unusedDays) => onQuery({ ...query, unusedDays })}
      />
      <Choice
        name="Expiry"
        value={query.expiresWithinDays}
        options={['7', '30', '90'].map((days) => [days, `expires in ${days} days`])}
        onChoose={(expiresWithinDays) =>
          onQuery({ ...query, expiresWithinDays, sort: { field: 'expires_at', descending: false } })
        }
      />
      <Choice
        name="Limit"
        value={query.limitUsedPercent}
        options={['50', '80', '100'].map((percent) => [percent, `${percent}% of limit`])}
        onChoose={(limitUsedPercent) =>
          onQuery({ ...query, limitUsedPercent, sort: { field: 'limit_used', descending: true } })
        }
      />
      {query.organization && (
        <Pill name="organization" value={query.organization} onRemove={() => onQuery({ ...query, organization: '' })} />
      )}
    </FilterBar>
  );
}
