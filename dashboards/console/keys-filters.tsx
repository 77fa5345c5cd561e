import type { RefObject } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { KeyListQuery } from './key-list-query.ts';

interface KeysFiltersProps {
  query: KeyListQuery;
  searchField: RefObject<HTMLInputElement | null>;
  onQuery: (query: KeyListQuery) => void;
}

/** Long enough not to ask for every letter, short enough to feel immediate. */
const TYPING_PAUSE_MS = 200;

const STATUSES = ['active', 'inactive', 'expired', 'discovered', 'deleted'];
const ENVIRONMENTS = ['production', 'staging', 'development'];

export function KeysFilters({ query, searchField, onQuery }: KeysFiltersProps) {
  const [typed, setTyped] = useState(query.search);
  useEffect(() => setTyped(query.search), [query.search]);
  useEffect(() => {
    if (typed === query.search) return;
    const timer = setTimeout(() => onQuery({ ...query, search: typed }), TYPING_PAUSE_MS);
    return () => clearTimeout(timer);
  }, [typed, query, onQuery]);

  return (
    <search class="filters">
      <label class="field search">
        <span class="sr-only">Search keys</span>
        <input
          ref={searchField}
          type="search"
          placeholder="Search by name, id, prefix…"
          value={typed}
          onInput={(event) => setTyped(event.currentTarget.value)}
          onKeyDown={(event) => event.key === 'Escape' && event.currentTarget.blur()}
        />
        <kbd title="Press / to search">/</kbd>
      </label>
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
    </search>
  );
}

interface ChoiceProps {
  name: string;
  value: string;
  options: [value: string, label: string][];
  onChoose: (value: string) => void;
}

function Choice({ name, value, options, onChoose }: ChoiceProps) {
  const listed = options.some(([option]) => option === value) || !value;
  return (
    <label class="field">
      <span class="sr-only">{name}</span>
      <select value={value} onChange={(event) => onChoose(event.currentTarget.value)}>
        <option value="">{name}: any</option>
        {!listed && <option value={value}>{value}</option>}
        {options.map(([option, label]) => (
          <option key={option} value={option}>
            {label}
          </option>
        ))}
      </select>
    </label>
  );
}
