/** Reading `timestamp,value` CSV cells as people export them: ISO, epoch, `YYYY-MM-DD HH:MM:SS` or US-style times. */

/** Splits one CSV line; double quotes protect commas and are doubled inside a quoted cell (RFC 4180). */
export function splitCsvLine(line: string): string[] {
  if (!line.includes('"')) return line.split(',').map((cell) => cell.trim());
  const cells: string[] = [];
  let cell = '';
  let quoted = false;
  for (let at = 0; at < line.length; at++) {
    const character = line[at]!;
    if (character === '"') {
      if (quoted && line[at + 1] === '"') {
        cell += '"';
        at++;
      } else quoted = !quoted;
    } else if (character === ',' && !quoted) {
      cells.push(cell.trim());
      cell = '';
    } else cell += character;
  }
  cells.push(cell.trim());
  return cells;
}

const US_TIME =
  /^(\d{1,2})\/(\d{1,2})\/(\d{4}|\d{2})(?:[ T](\d{1,2}):(\d{2})(?::(\d{2})(?:\.\d+)?)?\s*([AaPp][Mm])?)?$/;
const PLAIN_TIME = /^(\d{4})[-/](\d{1,2})[-/](\d{1,2})(?:[ T](\d{1,2}):(\d{2})(?::(\d{2})(?:[.,]\d+)?)?)?$/;
const EPOCH = /^[+-]?\d+(\.\d+)?$/;
/** Above this an epoch number can only be milliseconds (5138-11-16 in seconds). */
const MILLISECONDS_FROM = 1e11;
const MICROSECONDS_FROM = 1e14;
const NANOSECONDS_FROM = 1e17;

/** Seconds since 1970 in UTC (a time without a zone is taken as UTC), or NaN when it is no time. */
export function parseTimeSeconds(text: string): number {
  if (EPOCH.test(text)) return epochSeconds(Number(text));
  const plain = PLAIN_TIME.exec(text);
  if (plain) return utcSeconds(plain[1]!, plain[2]!, plain[3]!, plain[4], plain[5], plain[6]);
  const us = US_TIME.exec(text);
  if (us) {
    const year = us[3]!.length === 2 ? `20${us[3]}` : us[3]!;
    return utcSeconds(year, us[1]!, us[2]!, twentyFourHour(us[4], us[7]), us[5], us[6]);
  }
  if (!/^\d{4}-\d{2}-\d{2}T/.test(text)) return Number.NaN;
  return Date.parse(text) / 1000;
}

function epochSeconds(value: number): number {
  const size = Math.abs(value);
  if (size >= NANOSECONDS_FROM) return value / 1e9;
  if (size >= MICROSECONDS_FROM) return value / 1e6;
  return size >= MILLISECONDS_FROM ? value / 1e3 : value;
}

function twentyFourHour(hour: string | undefined, half: string | undefined): string | undefined {
  if (!hour || !half) return hour;
  return String((Number(hour) % 12) + (half.toLowerCase() === 'pm' ? 12 : 0));
}

function utcSeconds(year: string, month: string, day: string, hour = '0', minute = '0', second = '0'): number {
  const [m, d, h, min, s] = [Number(month), Number(day), Number(hour), Number(minute), Number(second)];
  const at = Date.UTC(Number(year), m - 1, d, h, min, s);
  const same = new Date(at).getUTCDate() === d || h === 24;
  return m >= 1 && m <= 12 && same && h <= 24 && min < 60 && s <= 60 ? at / 1000 : Number.NaN;
}

const BLANK = /^(|na|n\/a|nan|null|none|-)$/i;

/** The number in a cell; NaN for a blank cell, undefined when the cell is no number. */
export function parseValueOrUndefined(text: string): number | undefined {
  if (BLANK.test(text)) return Number.NaN;
  const value = Number(text);
  return Number.isFinite(value) ? value : undefined;
}

export function parseValue(text: string): number {
  return parseValueOrUndefined(text) ?? Number.NaN;
}

/** A cell as it may stand in a CSV line: quoted only where it must be. */
export function csvCell(text: string): string {
  return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
