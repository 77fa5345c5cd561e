import type { RefObject } from 'preact';
import { useCallback } from 'preact/hooks';
import { ENVIRONMENTS } from '../forms/environments.ts';
import { Choice, FilterBar, SearchField } from '../forms/filter-bar.tsx';
import { Pill } from '../panels/pill.tsx';
import type { KeyListQuery, Sort } from './key-list-query.ts';

interface KeysFiltersProps {
  query: KeyListQuery;
  searchField: RefObject<HTMLInputElement | null>;
  onQuery: (query: KeyListQuery) => void;
}

const STATUSES = ['active', 'inactive', 'expired', 'discovered', 'deleted'];
const SOONEST: Sort = { field: 'expires_at', descending: false };
const FULLEST: Sort = { field: 'limit_used', descending: true };

export function KeysFilters({ query, searchField, onQuery }: KeysFiltersProps) {
  const onSearch = useCallback((search: string) => onQuery({ ...query, search }), [query, onQuery]);
  const set = (change: Partial<KeyListQuery>) => onQuery({ ...query, ...change });
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
        onChoose={(status) => set({ status })}
      />
      <Choice
        name="Environment"
        value={query.environment}
        options={ENVIRONMENTS}
        onChoose={(environment) => set({ environment })}
      />
      <Choice
        name="Use"
        value={query.unusedDays}
        options={['7', '30', '90'].map((days) => [days, `unused ${days} days`])}
        onChoose={(unusedDays) => set({ unusedDays })}
      />
      <Choice
        name="Expiry"
        value={query.expiresWithinDays}
        options={['7', '30', '90'].map((days) => [days, `expires in ${days} days`])}
        onChoose={(expiresWithinDays) => set({ expiresWithinDays, sort: SOONEST })}
      />
      <Choice
        name="Limit"
        value={query.limitUsedPercent}
        options={['50', '80', '100'].map((percent) => [percent, `${percent}% of limit`])}
        onChoose={(limitUsedPercent) => set({ limitUsedPercent, sort: FULLEST })}
      />
      {query.organization && (
        <Pill name="organization" value={query.organization} onRemove={() => set({ organization: '' })} />
      )}
    </FilterBar>
  );
}
