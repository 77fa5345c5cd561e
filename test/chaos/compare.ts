import type { KeyTruth } from './key-writer.ts';
import { cellName, type Ledger, TIERS, type Tier } from './ledger.ts';

/** Reads the store without the product: its HTTP interface, one row per line of JSON. */
export type Read = <Row>(sql: string) => Promise<Row[]>;

export function storeReader(port: number): Read {
  return async (sql) => {
    const response = await fetch(`http://127.0.0.1:${port}/?database=keytally`, {
      method: 'POST',
      body: `${sql} SETTINGS output_format_json_quote_64bit_integers = 0 FORMAT JSONEachRow`,
    });
    const text = await response.text();
    if (!response.ok) throw new Error(text);
    return text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line));
  };
}

export interface Comparison {
  /** Acknowledged records that are not in `requests`. */
  lost: number;
  /** Records that are there more than once. */
  twice: number;
  /** Records that were never acknowledged but are there: none, because every POST is repeated until it is. */
  strangers: number;
  /** Compared cells and differing cells of each tier. */
  tiers: Record<string, { cells: number; wrong: number }>;
  keysWrong: string[];
  deadLetters: number;
  /** A few of the differences, to look at. */
  examples: string[];
}

const MAX_EXAMPLES = 12;

export async function compare(read: Read, ledger: Ledger, keys: ReadonlyMap<string, KeyTruth>): Promise<Comparison> {
  const result: Comparison = {
    ...{ lost: 0, twice: 0, strangers: 0 },
    tiers: {},
    keysWrong: [],
    deadLetters: 0,
    examples: [],
  };
  await compareRecords(read, ledger, result);
  for (const tier of TIERS) await compareTier(read, ledger, tier, result);
  await compareTotals(read, ledger, result);
  for (const [keyId, truth] of keys) await compareKey(read, keyId, truth, result);
  const [dead] = await read<{ rows: number }>('SELECT sum(rows) AS rows FROM dead_letters FINAL');
  result.deadLetters = dead?.rows ?? 0;
  return result;
}

/** Whether a comparison found nothing. */
export function isClean(result: Comparison): boolean {
  const { lost, twice, strangers, deadLetters, keysWrong, tiers } = result;
  return (
    lost + twice + strangers + deadLetters + keysWrong.length === 0 && Object.values(tiers).every((t) => t.wrong === 0)
  );
}

function note(result: Comparison, text: string): void {
  if (result.examples.length < MAX_EXAMPLES) result.examples.push(text);
}

async function compareRecords(read: Read, ledger: Ledger, result: Comparison): Promise<void> {
  const rows = await read<{ request_id: string; times: number; batches: string[] }>(
    'SELECT request_id, count() AS times, groupUniqArray(batch_id) AS batches FROM requests GROUP BY request_id',
  );
  const stored = new Map(rows.map((row) => [row.request_id, row]));
  for (const id of ledger.ids) {
    if (stored.has(id)) continue;
    result.lost++;
    note(result, `lost: ${id}`);
  }
  for (const { request_id: id, times, batches } of rows) {
    if (times > 1) result.twice++;
    if (times > 1) note(result, `${times} times: ${id} in ${batches.join(', ')}`);
    if (!ledger.ids.has(id)) result.strangers++;
    if (!ledger.ids.has(id)) note(result, `never acknowledged: ${id} in ${batches.join(', ')}`);
  }
}

async function compareTier(read: Read, ledger: Ledger, tier: Tier, result: Comparison): Promise<void> {
  const { table, dimensions, sums } = tier;
  const names = ['key_id', 'start', ...dimensions].join(', ');
  const rows = await read<Record<string, string | number>>(
    `SELECT key_id, toUnixTimestamp(start) AS start_s, ${[...dimensions, ''].join(', ')}
       ${sums.map((sum) => `sum(${table}.${sum}) AS n_${sum}`).join(', ')}
     FROM ${table} GROUP BY ${names}`,
  );
  const wanted = ledger.cells(table);
  const seen = new Set<string>();
  let wrong = 0;
  for (const row of rows) {
    const name = cellName(
      String(row.key_id),
      Number(row.start_s),
      dimensions.map((dimension) => row[dimension]!),
    );
    const actual = sums.map((sum) => Number(row[`n_${sum}`])).join();
    seen.add(name);
    if (actual === wanted.get(name)?.join()) continue;
    wrong++;
    note(result, `${table} ${name}: ${actual} instead of ${wanted.get(name)?.join() ?? 'nothing'}`);
  }
  for (const name of wanted.keys()) {
    if (seen.has(name)) continue;
    wrong++;
    note(result, `${table} ${name}: missing`);
  }
  result.tiers[table] = { cells: wanted.size, wrong };
}

async function compareTotals(read: Read, ledger: Ledger, result: Comparison): Promise<void> {
  const rows = await read<{ key_id: string; n: number; first_ms: number; last_ms: number }>(
    `SELECT key_id, sum(requests) AS n, toUnixTimestamp64Milli(min(first_seen)) AS first_ms,
       toUnixTimestamp64Milli(max(last_used).1) AS last_ms
     FROM key_totals GROUP BY key_id`,
  );
  const stored = new Map(rows.map((row) => [row.key_id, `${row.n} from ${row.first_ms} to ${row.last_ms}`]));
  let wrong = Math.max(0, stored.size - ledger.totals.size);
  for (const [keyId, { requests, firstMs, lastMs }] of ledger.totals) {
    const expected = `${requests} from ${firstMs} to ${lastMs}`;
    if (stored.get(keyId) === expected) continue;
    wrong++;
    note(result, `key_totals ${keyId}: ${stored.get(keyId)} instead of ${expected}`);
  }
  result.tiers.key_totals = { cells: ledger.totals.size, wrong };
}

async function compareKey(read: Read, keyId: string, truth: KeyTruth, result: Comparison): Promise<void> {
  const [key] = await read<{ status: string; version: number }>(
    `SELECT status, version FROM keys FINAL WHERE key_id = '${keyId}'`,
  );
  const counted = async (table: string, column: string, subject: string, value: string) => {
    const [row] = await read<{ n: number }>(
      `SELECT uniqExact(id) AS n FROM ${table} WHERE ${subject} = '${keyId}' AND ${column} = '${value}'`,
    );
    return row!.n;
  };
  const found = {
    status: key?.status,
    deactivated: await counted('audit', 'action', 'subject', 'key.deactivated'),
    reactivated: await counted('audit', 'action', 'subject', 'key.reactivated'),
    deactivatedEvents: await counted('key_events', 'type', 'key_id', 'key.deactivated'),
    reactivatedEvents: await counted('key_events', 'type', 'key_id', 'key.reactivated'),
    version: key?.version,
  };
  const { status, deactivated, reactivated } = truth;
  const expected = {
    ...{ status, deactivated, reactivated },
    deactivatedEvents: deactivated,
    reactivatedEvents: reactivated,
    version: 1 + deactivated + reactivated,
  };
  if (JSON.stringify(found) === JSON.stringify(expected)) return;
  result.keysWrong.push(`${keyId}: ${JSON.stringify(found)} instead of ${JSON.stringify(expected)}`);
  note(result, result.keysWrong.at(-1)!);
}
