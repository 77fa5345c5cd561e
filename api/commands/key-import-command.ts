import { readFileSync } from 'node:fs';
import { buffer } from 'node:stream/consumers';
import type { ImportResult } from '../key-import.ts';
import { ApiClient, CommandError, type ConnectionFlags, type Payload } from './api-client.ts';
import { print } from './output.ts';
import { plain } from './table.ts';
import { count } from './wording.ts';

const TYPES: Readonly<Record<string, string>> = { csv: 'text/csv', ndjson: 'application/x-ndjson' };

/**
 * Sends a file of keys and prints what became of its rows.
 * @returns exit code: 1 when a row was rejected
 * @throws {CommandError} when nothing could be sent or read
 */
export async function importKeyFile(file: string, flags: ConnectionFlags & { format?: string }): Promise<number> {
  const client = new ApiClient(flags);
  const type = typeOf(file, flags.format);
  const payload = await payloadOf(file, type);
  try {
    const { text, body } = await client.upload<ImportResult>('/v1/keys/import', payload);
    if (flags.json) print(`${text}\n`);
    else print(resultText(file, body));
    return body.rejected > 0 ? 1 : 0;
  } catch (error) {
    // A file without a single good row is refused as a whole, with all its errors.
    const body = error instanceof CommandError ? (error.body as Partial<ImportResult> | undefined) : undefined;
    if (typeof body?.rejected !== 'number') throw error;
    print(flags.json ? `${JSON.stringify(body)}\n` : resultText(file, body as ImportResult));
    throw error;
  }
}

function typeOf(file: string, format: string | undefined): string {
  const ending = /\.(csv|ndjson|jsonl)(\.gz)?$/i.exec(file)?.[1]?.toLowerCase();
  const name = format ?? (ending === 'jsonl' ? 'ndjson' : ending);
  if (name === undefined) throw new CommandError('--format: say csv or ndjson; the name of the file does not');
  const type = Object.hasOwn(TYPES, name) ? TYPES[name] : undefined;
  if (!type) throw new CommandError(`--format: "${name}" is neither csv nor ndjson`);
  return type;
}

async function payloadOf(file: string, type: string): Promise<Payload> {
  let content: Buffer;
  try {
    content = file === '-' ? await buffer(process.stdin) : readFileSync(file);
  } catch (error) {
    throw new CommandError((error as Error).message);
  }
  const gzipped = content[0] === 0x1f && content[1] === 0x8b;
  const headers = { 'Content-Type': type, ...(gzipped && { 'Content-Encoding': 'gzip' }) };
  return { content: new Uint8Array(content), headers };
}

function resultText(file: string, result: ImportResult): string {
  const { rows, created, updated, unchanged, rejected, errors } = result;
  const name = file === '-' ? 'standard input' : file;
  const lines = errors.map(
    ({ row, key_id, field, message }) =>
      `${plain(name)}:${row}: ${key_id === null ? '' : `${plain(key_id)}: `}${plain(field)} ${plain(message)}`,
  );
  if (rejected > errors.length) lines.push(`and ${count(rejected - errors.length)} more`);
  const sums = { created, updated, unchanged, rejected };
  const said = Object.entries(sums).map(([what, number]) => `${count(number)} ${what}`);
  return [...lines, `${count(rows)} rows: ${said.join(', ')}`].map((line) => `${line}\n`).join('');
}
