import type { RefObject } from 'preact';
import { useCallback } from 'preact/hooks';
import { Choice, FilterBar, SearchField } from '../forms/filter-bar.tsx';
import type { KeyListQuery } from './key-list-query.ts';

interface KeysFiltersProps {
  query: KeyListQuery;
  searchField: RefObject<HTMLInputElement | null>;
  onQuery: (query: KeyListQuery) => void;
}

const STATUSES = ['active', 'inactive', 'expired', 'discovered', 'deleted'];
const ENVIRONMENTS = ['production', 'staging', 'development'];

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
        options={ENVIRONMENTS.map((environment) => [environment, environment])}
        onChoose={(environment) => onQuery({ ...query, environment })}
      />
      <Choice
        name="Use"
        value={query.unusedDays}
        options={['7', '30', '90'].map((days) => [days, `unused for ${days} days`])}
        onChoose={(unusedDays) => onQuery({ ...query, unusedDays })}
      />
      <Choice
        name="Expiry"
        value={query.expiresWithinDays}
        options={['7', '30', '90'].map((days) => [days, `expires within ${days} days`])}
        onChoose={(expiresWithinDays) =>
          onQuery({ ...query, expiresWithinDays, sort: { field: 'expires_at', descending: false } })
        }
      />
      <Choice
        name="Limit"
        value={query.limitUsedPercent}
        options={['50', '80', '100'].map((percent) => [percent, `${percent}% of a limit used`])}
        onChoose={(limitUsedPercent) =>
          onQuery({ ...query, limitUsedPercent, sort: { field: 'limit_used', descending: true } })
        }
      />
      {query.organization && (
        <span class="pill">
          <span class="dim">organization</span>
          <bdi class="cut">{query.organization}</bdi>
          <button
            type="button"
            aria-label="Remove the organization filter"
            onClick={() => onQuery({ ...query, organization: '' })}
          >
            ×
          </button>
        </span>
      )}
    </FilterBar>
  );
}
