#!/usr/bin/env -S UV_THREADPOOL_SIZE=12 node --max-semi-space-size=64
// Records are many short-lived strings: a young generation of 64 MB saves about 30 % of the processor time of a batch. A statement of
// the embedded engine keeps one of Node's pool threads busy: with its usual four, six statements would stop files, names and compression.
import { Command } from 'commander';
import { alertsCommand } from './api/commands/alert-commands.ts';
import { CommandError } from './api/commands/api-client.ts';
import { backupCommand, restoreCommand } from './api/commands/backup-commands.ts';
import { channelsCommand } from './api/commands/channel-commands.ts';
import { deadLettersCommand } from './api/commands/dead-letter-commands.ts';
import { deliveriesCommand } from './api/commands/delivery-commands.ts';
import { doctorCommand } from './api/commands/doctor-command.ts';
import { keysCommand } from './api/commands/key-commands.ts';
import { silencesCommand } from './api/commands/silence-commands.ts';
import { storageCommand } from './api/commands/storage-command.ts';
import { usageCommand } from './api/commands/usage-command.ts';
import type { PartName, Running } from './api/parts.ts';
import { ConfigError } from './ingest/config-error.ts';
import { defaultUrl } from './ingest/connection.ts';
import { DataFolderError } from './ingest/data-folder.ts';
import type { ImportFlags } from './ingest/import/import-command.ts';
import { ImportError } from './ingest/import/import-error.ts';

/** Loaded only by the commands that run parts: with them, commands that ask a running Keytally took 1.7 instead of 0.2 s to start. */
const run = async (parts: readonly PartName[], afterStart?: (running: Running) => Promise<void> | void) =>
  (await import('./api/run-parts.ts')).runParts(parts, afterStart);

/** Only the import's own help and errors name the formats. */
const formatNames = async () =>
  process.argv.includes('import') ? (await import('./ingest/formats/registry.ts')).FORMAT_NAMES.join(', ') : '';

const program = new Command('keytally')
  .description('Usage analytics and alerting for API keys')
  .configureHelp({ showGlobalOptions: true });

program
  .command('start')
  .description('all parts in one process, on the embedded engine and an own Redis unless configured otherwise')
  .action(async () => {
    const { announce } = await import('./api/run-parts.ts');
    return run(['collector', 'worker', 'api'], announce);
  });
program
  .command('demo')
  .description('all parts, with real traffic replayed through the HTTP edge')
  .action(async () => {
    process.env.KEYTALLY_DATA_DIR ||= './data/demo';
    const { runDemo } = await import('./api/demo.ts');
    return run(['collector', 'worker', 'api'], runDemo);
  });
program
  .command('ingest')
  .description('the collector alone (needs REDIS_URL)')
  .action(() => run(['collector']));
program
  .command('worker')
  .description('a worker alone')
  .action(async () => {
    const { tellFirstToken } = await import('./api/run-parts.ts');
    return run(['worker'], tellFirstToken);
  });
program
  .command('api')
  .description('the api and dashboard alone (needs REDIS_URL and CLICKHOUSE_URL)')
  .action(() => run(['api']));

program
  .command('import <files...>')
  .description('count access logs, plain or .gz, - for standard input; a second run counts nothing twice')
  .requiredOption('--format <name>', await formatNames())
  .option(
    '--key <where>',
    'ip, id:NAME, field:PATH, header:NAME or claim:NAME; default: the place the format has for it',
  )
  .option('--since <date>', 'leave out older requests')
  .option('--url <address>', 'address of Keytally', defaultUrl())
  .option('--token <token>', 'token with the ingest scope; default: KEYTALLY_TOKEN')
  .option('--state <file>', 'where positions are kept; default: ~/.local/state/keytally/imports.json')
  .action(async (files: string[], flags: ImportFlags) => {
    const { runImport } = await import('./ingest/import/import-command.ts');
    return runImport(files, flags);
  });

program.addCommand(keysCommand()).addCommand(usageCommand()).addCommand(alertsCommand());
program.addCommand(channelsCommand()).addCommand(deliveriesCommand()).addCommand(silencesCommand());
program.addCommand(deadLettersCommand()).addCommand(backupCommand()).addCommand(restoreCommand());
program.addCommand(doctorCommand()).addCommand(storageCommand());

program
  .command('backtest')
  .description('score a series with the detectors that run in production: --input series.csv --output scores.csv')
  .allowUnknownOption()
  .helpOption(false)
  .argument('[flags...]')
  .action(async (_flags: string[], _options: unknown, command: Command) => {
    const { main } = await import('./workers/alerts/backtest.ts');
    process.exitCode = await main(command.args);
  });

/** An error a person can act on is one line per cause; anything else keeps its stack. */
function isExpected(error: unknown): boolean {
  return [CommandError, ConfigError, DataFolderError, ImportError].some((expected) => error instanceof expected);
}

program.parseAsync().catch((error: unknown) => {
  const { message, stack } = error instanceof Error ? error : new Error(String(error));
  process.stderr.write(`${isExpected(error) ? message : (stack ?? message)}\n`);
  process.exit(1);
});
