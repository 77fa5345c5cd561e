import { useCallback, useMemo } from 'preact/hooks';
import { searchText } from '../time/time-view.ts';
import { go } from './location.ts';

/** The filters of a list, kept in the address. They are no steps of a journey: "back" leaves the list. */
export function useAddressFields<Name extends string>(
  path: string,
  search: string,
  names: readonly Name[],
): [fields: Record<Name, string>, set: (change: Partial<Record<Name, string>>) => void] {
  const fields = useMemo(() => {
    const given = new URLSearchParams(search);
    return Object.fromEntries(names.map((name) => [name, given.get(name) ?? ''])) as Record<Name, string>;
  }, [search, names]);
  const set = useCallback(
    (change: Partial<Record<Name, string>>) => {
      const text = searchText({ ...fields, ...change });
      go(text ? `${path}?${text}` : path, 'replace');
    },
    [path, fields],
  );
  return [fields, set];
}
