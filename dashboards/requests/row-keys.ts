import type { RequestRow } from '../http/contract/usage.ts';

/** Names of rows that stay theirs when new ones come above them; equal rows are numbered. */
export function rowKeys(rows: readonly Pick<RequestRow, 'timestamp' | 'request_id'>[]): string[] {
  const equal = new Map<string, number>();
  return rows.map(({ timestamp, request_id }) => {
    const name = `${timestamp} ${request_id ?? ''}`;
    const before = equal.get(name) ?? 0;
    equal.set(name, before + 1);
    return before === 0 ? name : `${name} ${before}`;
  });
}
