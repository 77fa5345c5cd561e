import { describe, expect, it } from 'vitest';
import { exportPages } from '../../api/request-export.ts';

type Read = Parameters<typeof exportPages>[0];
type Row = Awaited<ReturnType<Read>>[number];

/** A store of so many requests, newest first; it answers two at a time, and with them `ties` of the same moment. */
function storeOf(requests: number, ties = 0): Read {
  const rows = Array.from({ length: requests }, (_, index) => ({ timestamp_ms: -index, row_hash: 'x' }) as Row);
  return async (after) => {
    const first = after ? 1 - after.timestampMs : 0;
    return rows.slice(first, first + 2 + ties);
  };
}

async function exported(read: Read, most: number): Promise<number[]> {
  const times: number[] = [];
  for await (const rows of exportPages(read, undefined, { pageRows: 2, most })) {
    times.push(...rows.map((row) => -row.timestamp_ms));
  }
  return times;
}

const upTo = (count: number) => Array.from({ length: count }, (_, index) => index);

describe('an export', () => {
  it.each([
    ['nothing', 0, 0, 5, 0],
    ['less than a page', 1, 0, 5, 1],
    ['whole pages', 4, 0, 5, 4],
    ['the limit', 5, 0, 5, 5],
    ['more than the limit', 9, 0, 5, 5],
    ['more than the limit, with a page of one moment across it', 9, 2, 5, 5],
  ])('of %s (%i requests, %i ties, at most %i)', async (_, requests, ties, most, rows) => {
    expect(await exported(storeOf(requests, ties), most)).toEqual(upTo(rows));
  });

  it('asks for no page behind the limit', async () => {
    let asked = 0;
    const read = storeOf(100);
    await exported((after) => {
      asked++;
      return read(after);
    }, 4);
    expect(asked).toBe(2);
  });
});
