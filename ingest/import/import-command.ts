import cliProgress from 'cli-progress';
import { ConfigError } from '../config-error.ts';
import { connectionOf } from '../connection.ts';
import type { KeySource } from '../formats/format.ts';
import { FORMAT_NAMES, formatByName } from '../formats/registry.ts';
import { actionable } from './import-error.ts';
import { type ImportOptions, type ImportSummary, importLog, sizeOf } from './import-log.ts';
import { DEFAULT_STATE_FILE, ImportState } from './import-state.ts';

/** Flags of `keytally import` as commander hands them over. */
export interface ImportFlags {
  format: string;
  key?: string;
  since?: string;
  url: string;
  token?: string;
  state?: string;
}

/**
 * Imports files one after another, with a bar for people and a summary for everyone.
 * @throws {ConfigError} when a flag or the kept positions cannot be used
 * @throws {ImportError} when a file cannot be read, or the server does not take it
 */
export async function runImport(files: readonly string[], flags: ImportFlags): Promise<void> {
  const options = optionsOf(flags);
  for (const file of files) {
    const summary = await importFile(file, options).catch((error: unknown) => {
      throw actionable(error);
    });
    process.stdout.write(summaryText(summary));
  }
}

async function importFile(file: string, options: ImportOptions): Promise<ImportSummary> {
  const startedAt = Date.now();
  const size = sizeOf(file);
  const bar = new cliProgress.SingleBar({
    format:
      size === undefined
        ? '  {megabytes} MB  {rate} lines/s'
        : '  {bar} {percentage}%  {rate} lines/s  {eta_formatted} left',
    stream: process.stderr,
    noTTYOutput: true,
    notTTYSchedule: 5_000,
  });
  process.stderr.write(`${file === '-' ? 'standard input' : file}\n`);
  bar.start(size ?? 1, 0, { rate: 0, megabytes: 0 });
  return importLog(file, options, ({ offset, lines }) => {
    const rate = Math.round((lines / Math.max(1, Date.now() - startedAt)) * 1000);
    bar.update(size === undefined ? 0 : Math.min(size, offset), { rate, megabytes: Math.round(offset / 1e6) });
  }).finally(() => bar.stop());
}

function optionsOf(flags: ImportFlags): ImportOptions {
  const format = formatByName(flags.format);
  if (!format) throw new ConfigError(`--format: "${flags.format}" is not one of ${FORMAT_NAMES.join(', ')}`);
  const connection = connectionOf(flags);
  if ('problem' in connection) throw new ConfigError(connection.problem);
  const sinceMs = flags.since === undefined ? 0 : Date.parse(flags.since);
  if (Number.isNaN(sinceMs)) throw new ConfigError(`--since: "${flags.since}" is not a date`);
  const { key, keySources } = keyOf(flags.key);
  return {
    format,
    ...connection,
    formatOptions: { keySources },
    key,
    sinceMs,
    state: new ImportState(flags.state ?? DEFAULT_STATE_FILE),
  };
}

/** `ip`, `id:NAME`, `field:PATH`, `header:NAME` or `claim:NAME`. */
function keyOf(text: string | undefined): { key: ImportOptions['key']; keySources: KeySource[] } {
  if (text === undefined) return { key: { kind: 'log' }, keySources: [] };
  if (text === 'ip') return { key: { kind: 'ip' }, keySources: [] };
  const [, kind, value] = /^(id|field|header|claim):(.+)$/.exec(text) ?? [];
  if (kind === 'id') return { key: { kind: 'id', id: value! }, keySources: [] };
  const source: KeySource | undefined =
    kind === 'field'
      ? { field: value! }
      : kind === 'header'
        ? { header: value! }
        : kind === 'claim'
          ? { jwtClaim: value! }
          : undefined;
  if (!source) throw new ConfigError(`--key: "${text}" is none of ip, id:NAME, field:PATH, header:NAME, claim:NAME`);
  return { key: { kind: 'log' }, keySources: [source] };
}

function summaryText(summary: ImportSummary): string {
  const lines = [`  ${count(summary.lines)} lines read, ${count(summary.accepted)} requests counted`];
  if (summary.alreadyImported > 0)
    lines.push(`  ${count(summary.alreadyImported)} lines were imported by an earlier run`);
  if (summary.olderThanSince > 0) lines.push(`  ${count(summary.olderThanSince)} older than --since`);
  if (summary.skipped > 0) lines.push(`  ${count(summary.skipped)} lines that are no requests`);
  const rejects = [...summary.rejects].sort(([, a], [, b]) => b.count - a.count);
  for (const [reason, { count: times, firstLine }] of rejects) {
    lines.push(`  ${count(times)} rejected: ${reason} (first near line ${firstLine})`);
  }
  return `${lines.join('\n')}\n`;
}

function count(value: number): string {
  return value.toLocaleString('en');
}
