/** One column: its heading, whether its cells are numbers (set right), and whether long ones are to be read whole. */
export interface Column {
  title: string;
  right?: boolean;
  whole?: boolean;
}

/** Longer cells are cut: one long name must not push the figures off the screen. */
const MAX_CELL_WIDTH = 40;
const GAP = '  ';

const segments = new Intl.Segmenter('en', { granularity: 'grapheme' });
/** Emoji and East Asian characters take two columns of a terminal. */
const WIDE =
  /\p{Emoji_Presentation}|[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]/u;
/** Control, formatting and line-separating characters: a name must not move the cursor or turn the text around. */
const UNSAFE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu;

/** Text of others, made harmless for a terminal. */
export function plain(text: string): string {
  return text.replace(UNSAFE, '\ufffd');
}

function widthOf(text: string): number {
  let width = 0;
  for (const { segment } of segments.segment(text)) width += WIDE.test(segment) ? 2 : 1;
  return width;
}

function fitted(text: string, width: number): string {
  if (widthOf(text) <= width) return text;
  let cut = '';
  let used = 0;
  for (const { segment } of segments.segment(text)) {
    used += WIDE.test(segment) ? 2 : 1;
    if (used >= width) break;
    cut += segment;
  }
  return `${cut}…`;
}

/** Rows under their headings, each column as wide as its widest cell. Columns that are empty in all rows are left out. */
export function table(columns: readonly Column[], rows: readonly (readonly string[])[]): string {
  const cells = rows.map((row) =>
    row.map((cell, at) => (columns[at]?.whole ? plain(cell) : fitted(plain(cell), MAX_CELL_WIDTH))),
  );
  const shown = columns
    .map((column, at) => ({ ...column, at, width: Math.max(...cells.map((row) => widthOf(row[at] ?? ''))) }))
    .filter(({ width }) => width > 0)
    .map((column) => ({ ...column, width: Math.max(column.width, column.title.length) }));
  const line = (cellAt: (at: number) => string) =>
    shown
      .map(({ at, width, right }) => {
        const space = ' '.repeat(width - widthOf(cellAt(at)));
        return right ? space + cellAt(at) : cellAt(at) + space;
      })
      .join(GAP)
      .trimEnd();
  const head = line((at) => columns[at]!.title.toUpperCase());
  return [head, ...cells.map((row) => line((at) => row[at] ?? ''))].map((text) => `${text}\n`).join('');
}

/** Labels with their values below each other; those without a value are left out. */
export function facts(pairs: readonly (readonly [label: string, value: string])[]): string {
  const given = pairs.filter(([, value]) => value !== '');
  const width = Math.max(...given.map(([label]) => label.length));
  return given.map(([label, value]) => `${label.padEnd(width)}${GAP}${plain(value)}\n`).join('');
}
