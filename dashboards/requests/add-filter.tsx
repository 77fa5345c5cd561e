import type { RefObject } from 'preact';
import { useState } from 'preact/hooks';
import type { RequestRow } from '../http/contract/usage.ts';
import { countryName } from '../map/country-name.ts';
import { FILTER_LABELS, REQUEST_FILTERS, type RequestFilterName, typedFilter } from './requests-view.ts';

interface AddFilterProps {
  field: RefObject<HTMLInputElement | null>;
  /** Their values are offered while typing. */
  rows: readonly RequestRow[];
  onAdd: (name: RequestFilterName, value: string) => void;
}

const EXAMPLES: Record<RequestFilterName, string> = {
  key_id: 'key id',
  status: '404 or 5xx',
  method: 'GET',
  route: '/v1/orders/{id}',
  country: 'SE',
  service: 'service name',
  environment: 'production',
};

/** More would make the list slower to read than typing. */
const OFFERED = 50;
/** A list entry of a hostile 4 KB route covers the screen. */
const OFFERED_LENGTH = 200;

export function AddFilter({ field, rows, onAdd }: AddFilterProps) {
  const [name, setName] = useState<RequestFilterName>('route');
  const [wrong, setWrong] = useState('');

  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const input = field.current;
    if (!input?.value.trim()) return;
    const typed = typedFilter(name, input.value);
    if ('wrong' in typed) return setWrong(typed.wrong);
    setWrong('');
    input.value = '';
    input.blur();
    onAdd(name, typed.value);
  };

  return (
    <form class="add-filter" onSubmit={submit}>
      <FieldSelect
        name={name}
        onName={(chosen) => {
          setName(chosen);
          setWrong('');
        }}
      />
      <span class="search">
        <input
          ref={field}
          type="text"
          list="filter-values"
          aria-label={`Value of the ${FILTER_LABELS[name] ?? name} filter`}
          aria-invalid={wrong !== ''}
          aria-describedby="filter-wrong"
          placeholder={EXAMPLES[name]}
          spellcheck={false}
          autocomplete="off"
          onKeyDown={(event) => event.key === 'Escape' && event.currentTarget.blur()}
          data-testid="filter-value"
        />
        <kbd title="Press / to filter">/</kbd>
      </span>
      <OfferedValues name={name} rows={rows} />
      <button type="submit">Add filter</button>
      <span id="filter-wrong" class="warn" role="status">
        {wrong}
      </span>
    </form>
  );
}

function OfferedValues({ name, rows }: { name: RequestFilterName; rows: readonly RequestRow[] }) {
  const values = [...new Set(rows.map((row) => String(row[name] ?? '')))]
    .filter((value) => value && value.length <= OFFERED_LENGTH)
    .slice(0, OFFERED);
  return (
    <datalist id="filter-values">
      {values.map((value) => (
        <option key={value} value={value}>
          {name === 'country' ? countryName(value) : undefined}
        </option>
      ))}
    </datalist>
  );
}

function FieldSelect({ name, onName }: { name: RequestFilterName; onName: (name: RequestFilterName) => void }) {
  return (
    <select
      aria-label="Filter by"
      value={name}
      onChange={(event) => onName(event.currentTarget.value as RequestFilterName)}
    >
      {REQUEST_FILTERS.map((option) => (
        <option key={option} value={option}>
          {FILTER_LABELS[option] ?? option}
        </option>
      ))}
    </select>
  );
}
