import type { ComponentChildren, RefObject } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';

/** Long enough not to ask for every letter, short enough to feel immediate. */
const TYPING_PAUSE_MS = 200;

interface SearchFieldProps {
  label: string;
  placeholder: string;
  value: string;
  field?: RefObject<HTMLInputElement | null>;
  onValue: (value: string) => void;
}

/** Follows the address, and writes to it when the viewer pauses. */
export function SearchField({ label, placeholder, value, field, onValue }: SearchFieldProps) {
  const [typed, setTyped] = useState(value);
  // What it wrote itself comes back as its value when more may have been typed already.
  const sent = useRef(value);
  useEffect(() => {
    if (value === sent.current) return;
    sent.current = value;
    setTyped(value);
  }, [value]);
  useEffect(() => {
    if (typed === value) return;
    const timer = setTimeout(() => {
      sent.current = typed;
      onValue(typed);
    }, TYPING_PAUSE_MS);
    return () => clearTimeout(timer);
  }, [typed, value, onValue]);
  return (
    <label class="field search">
      <span class="sr-only">{label}</span>
      <input
        ref={field}
        type="search"
        placeholder={placeholder}
        value={typed}
        onInput={(event) => setTyped(event.currentTarget.value)}
        onKeyDown={(event) => event.key === 'Escape' && event.currentTarget.blur()}
      />
      <kbd title="Press / to search">/</kbd>
    </label>
  );
}

interface ChoiceProps {
  name: string;
  /** What no choice means, where that is not "any". */
  any?: string;
  value: string;
  options: readonly (readonly [value: string, label: string])[];
  onChoose: (value: string) => void;
}

/** One filter of a list; its first option takes the filter away. */
export function Choice({ name, any = 'any', value, options, onChoose }: ChoiceProps) {
  const listed = options.some(([option]) => option === value) || !value;
  return (
    <label class="field">
      <span class="sr-only">{name}</span>
      <select value={value} onChange={(event) => onChoose(event.currentTarget.value)}>
        <option value="">
          {name}: {any}
        </option>
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

export function FilterBar({ children }: { children: ComponentChildren }) {
  return <search class="filters">{children}</search>;
}
