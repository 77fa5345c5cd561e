import type { RefObject } from 'preact';
import { go } from '../address/location.ts';

/** Hands what was typed to the key list, which knows how to search. */
export function KeySearch({ field }: { field: RefObject<HTMLInputElement | null> }) {
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const typed = field.current?.value.trim();
    if (typed) go(`/keys?${new URLSearchParams({ search: typed })}`);
  };
  return (
    <search class="key-search">
      <form class="search" onSubmit={submit}>
        <input
          ref={field}
          type="search"
          aria-label="Find a key"
          placeholder="Find a key…"
          onKeyDown={(event) => event.key === 'Escape' && event.currentTarget.blur()}
        />
        <kbd title="Press / to search">/</kbd>
      </form>
    </search>
  );
}
