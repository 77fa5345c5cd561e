/** One row of an import as it was read; `error`: it could not be. */
export type ImportedRow = { row: number; value: Record<string, unknown> } | { row: number; error: string };

/** Raised when the head of the file is wrong, so that no row can be read. */
export class BadHeader extends Error {
  readonly column: string;

  constructor(column: string, message: string) {
    super(message);
    this.column = column;
  }
}

/** A longer row is refused by itself; no good row needs a tenth of it. */
const MAX_ROW_CHARS = 64 * 1024;

/** Rows of an NDJSON text; `row` is the line's number, from 1. Empty lines are none. */
export function* ndjsonRows(text: string): Generator<ImportedRow> {
  let row = 0;
  for (let from = 0; from < text.length; ) {
    row++;
    const newline = text.indexOf('\n', from);
    const end = newline === -1 ? text.length : newline;
    if (end - from > MAX_ROW_CHARS) yield { row, error: `is longer than ${MAX_ROW_CHARS} characters` };
    else {
      const line = text.slice(from, end).trim();
      if (line !== '') yield parsed(row, line);
    }
    from = end + 1;
  }
}

function parsed(row: number, line: string): ImportedRow {
  try {
    const value: unknown = JSON.parse(line);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
      return { row, value: value as Record<string, unknown> };
    }
    return { row, error: 'is not a JSON object' };
  } catch {
    return { row, error: 'is not valid JSON' };
  }
}

const TEXT_COLUMNS = [
  'key_id',
  'organization_id',
  'customer_id',
  'name',
  'description',
  'prefix',
  'sha256',
  'kind',
  'environment',
  'plan',
  'created_at',
  'expires_at',
  'rotated_at',
  'successor_key_id',
];
/** Columns of a CSV import and where their cells go. */
const COLUMNS: Readonly<Record<string, (value: Record<string, unknown>, cell: string) => void>> = {
  ...Object.fromEntries(
    TEXT_COLUMNS.map((name) => [name, (value: Record<string, unknown>, cell: string) => void (value[name] = cell)]),
  ),
  scopes: (value, cell) => void (value.scopes = cell.split(/[\s;]+/).filter((scope) => scope !== '')),
  owner_name: (value, cell) => nest(value, 'owner', 'name', cell),
  owner_email: (value, cell) => nest(value, 'owner', 'email', cell),
  ...Object.fromEntries(
    ['per_minute', 'per_day', 'per_month', 'burst'].map((limit) => [
      `limit_${limit}`,
      (value: Record<string, unknown>, cell: string) => nest(value, 'limits', limit, Number(cell)),
    ]),
  ),
};
export const CSV_COLUMNS = Object.keys(COLUMNS);

function nest(value: Record<string, unknown>, group: string, name: string, cell: unknown): void {
  value[group] = { ...(value[group] as object | undefined), [name]: cell };
}

/**
 * Rows of a CSV text with a header; `row` is the number of the line it starts in. An empty cell leaves its field out.
 * @throws {BadHeader} naming a column that is unknown, doubled or missing
 */
export function* csvRows(text: string): Generator<ImportedRow> {
  const records = csvRecords(text);
  const head = records.next().value as CsvRecord | undefined;
  const names = head ? head.cells.map((cell) => cell.trim()) : [];
  for (const [at, name] of names.entries()) {
    if (!(name in COLUMNS)) throw new BadHeader(name, `is no column of an import; there are ${CSV_COLUMNS.join(', ')}`);
    if (names.indexOf(name) !== at) throw new BadHeader(name, 'stands twice in the header');
  }
  if (!names.includes('key_id')) throw new BadHeader('key_id', 'is missing in the header');
  for (const { row, cells, error } of records) {
    if (error !== undefined) yield { row, error };
    else if (cells.length === 1 && cells[0]!.trim() === '') continue;
    else if (cells.length !== names.length)
      yield { row, error: `has ${cells.length} cells, the header ${names.length}` };
    else {
      const value: Record<string, unknown> = {};
      for (const [at, cell] of cells.entries()) if (cell !== '') COLUMNS[names[at]!]!(value, cell);
      yield { row, value };
    }
  }
}

interface CsvRecord {
  row: number;
  cells: string[];
  error?: string;
}

/** RFC 4180: cells in quotes may hold commas, line breaks and doubled quotes. */
function* csvRecords(text: string): Generator<CsvRecord> {
  let line = 1;
  let at = 0;
  while (at < text.length) {
    const row = line;
    const from = at;
    const cells: string[] = [];
    let error: string | undefined;
    for (;;) {
      const cell = text[at] === '"' ? quotedCell(text, at) : plainCell(text, at);
      if (cell.error) error = cell.error;
      line += cell.lines;
      at = cell.end;
      if (at - from <= MAX_ROW_CHARS) cells.push(cell.text);
      if (text[at] !== ',') break;
      at++;
    }
    if (at - from > MAX_ROW_CHARS) error = `is longer than ${MAX_ROW_CHARS} characters`;
    if (text[at] === '\r') at++;
    at++;
    line++;
    yield error === undefined ? { row, cells } : { row, cells, error };
  }
}

interface Cell {
  text: string;
  /** Position behind it: a comma, a line end or the end. */
  end: number;
  /** Line breaks inside it. */
  lines: number;
  error?: string;
}

function plainCell(text: string, from: number): Cell {
  let end = from;
  while (end < text.length && text[end] !== ',' && text[end] !== '\n') end++;
  if (text[end - 1] === '\r' && end > from && text[end] !== ',') end--;
  return { text: text.slice(from, end), end, lines: 0 };
}

function quotedCell(text: string, from: number): Cell {
  let value = '';
  let at = from + 1;
  for (;;) {
    const quote = text.indexOf('"', at);
    if (quote === -1) {
      const rest = plainCell(text, from + 1);
      return { ...rest, error: 'has a quote that is not closed' };
    }
    value += text.slice(at, quote);
    at = quote + 1;
    if (text[at] !== '"') break;
    value += '"';
    at++;
  }
  const rest = plainCell(text, at);
  const lines = value.split('\n').length - 1;
  return rest.text === ''
    ? { text: value, end: at, lines }
    : { text: value, end: rest.end, lines, error: 'has text behind a closing quote' };
}
