import { describe, expect, it } from 'vitest';
import { MAX_EXPORT_ROWS } from '../../api/request-export.ts';
import { cutNote, MOST_EXPORT_ROWS, rowCounter, rowsOf } from '../../dashboards/requests/export-rows.ts';

describe('rows of an exported file', () => {
  it.each([
    ['csv', '', 0],
    ['csv', 'time,path\n', 0],
    ['csv', 'time,path\n1,/a\n2,/b\n', 2],
    ['csv', 'time,path\n1,"/a\n/b"\n2,"say ""\n"""\n', 2],
    ['csv', 'time,path\n1,/å\u2028\n', 1],
    ['ndjson', '', 0],
    ['ndjson', '{"a":1}\n{"a":2}\n', 2],
    ['ndjson', '{"a":"\\""}\n{"a":2}\n', 2],
  ] as const)('%s %j: %i', async (format, text, rows) => {
    expect(await rowsOf(new Blob([text]), format)).toBe(rows);
    const byteByByte = rowCounter(format);
    for (const byte of new TextEncoder().encode(text)) byteByByte.add(Uint8Array.of(byte));
    expect(byteByByte.rows()).toBe(rows);
  });

  it.each([
    [0, null],
    [MAX_EXPORT_ROWS - 1, null],
    [MAX_EXPORT_ROWS, 'The file ends at 1,000,000 rows: narrow the range for the rest'],
  ])('of %i rows the page says %s', (rows, note) => expect(cutNote(rows, 'en-US')).toBe(note));

  it('end where the api ends them', () => expect(MOST_EXPORT_ROWS).toBe(MAX_EXPORT_ROWS));
});
