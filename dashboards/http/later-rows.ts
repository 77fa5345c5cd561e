import type { Page } from './contract/page.ts';

/** Rows that the api gives in one page. */
const MOST_ROWS = 500;

/** How many rows to ask for when a list is asked for again of which so many are shown: those of its later pages may have changed as well. */
export const renewedRows = (size: number, shown: number): number => Math.max(size, Math.min(MOST_ROWS, shown));

/**
 * What a list goes on with when its first page was asked for again: of the rows that were there, those after the last one
 * of the new page. Null when that one is not among them, or is the last of all: the list then begins anew.
 * @param loaded every page that was there, the first one included
 */
export function laterRows<Item>(
  first: Page<Item>,
  loaded: readonly Page<Item>[],
  idOf: (row: Item) => string,
): Page<Item> | null {
  const end = first.data.at(-1);
  if (!end || first.next_cursor === null || loaded.length < 2) return null;
  const rows = loaded.flatMap((page) => page.data);
  const place = rows.findIndex((row) => idOf(row) === idOf(end));
  const data = rows.slice(place + 1);
  return place < 0 || data.length === 0 ? null : { data, next_cursor: loaded.at(-1)!.next_cursor };
}
