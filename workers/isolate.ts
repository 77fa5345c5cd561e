import type { RowRange } from './native-block.ts';

export interface Poison {
  row: number;
  error: unknown;
}

/**
 * Inserts ranges whose rows cannot all be inserted: halves that fail are halved again until the bad rows stand
 * alone. Each part has a token made of the batch's and its rows, and the split depends only on which rows are
 * bad, so a retry of the whole sends the same parts under the same tokens.
 *
 * @param insert inserts rows under `token`; rejects when they are bad
 * @param isPoison whether an error is the rows' fault; any other error ends the isolation and is thrown
 * @returns the rows that were refused
 */
export async function insertIsolating(
  range: RowRange,
  token: string,
  insert: (range: RowRange, token: string) => Promise<void>,
  isPoison: (error: unknown) => boolean,
): Promise<Poison[]> {
  try {
    await insert(range, `${token}-${range.first}-${range.end}`);
    return [];
  } catch (error) {
    if (!isPoison(error)) throw error;
    if (range.end - range.first <= 1) return [{ row: range.first, error }];
  }
  const middle = Math.floor((range.first + range.end) / 2);
  const left = await insertIsolating({ first: range.first, end: middle }, token, insert, isPoison);
  const right = await insertIsolating({ first: middle, end: range.end }, token, insert, isPoison);
  return [...left, ...right];
}
