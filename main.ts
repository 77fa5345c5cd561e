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
import { usageCommand } from './api/commands/usage-command.ts';
import { runDemo } from './api/demo.ts';
import { type PartName, type Running, startParts } from './api/parts.ts';
import { ConfigError, parseConfig } from './ingest/config.ts';
import { DataFolderError } from './ingest/data-folder.ts';
import { FORMAT_NAMES } from './ingest/formats/registry.ts';
import { type ImportFlags, runImport } from './ingest/import/import-command.ts';
import { createLogger } from './ingest/logger.ts';

/** Time for everything to stop in order; after it the process ends anyway, and says so. */
const STOP_TIMEOUT_MS = 30_000;

/** Runs parts until a signal, then stops them in order. */
async function run(parts: readonly PartName[], afterStart?: (running: Running) => Promise<void>): Promise<void> {
  const config = parseConfig(process.env);
  const log = createLogger(config, parts.length === 1 ? parts[0]! : 'keytally');
  let running: Running | undefined;
  let stopping = false;
  const stop = async (reason: string, code: number) => {
    if (stopping) return;
    stopping = true;
    log.info({ reason }, 'stopping');
    setTimeout(() => {
      log.fatal('did not stop in time; what was not finished is still in the queue');
      process.exit(1);
    }, STOP_TIMEOUT_MS).unref();
    await running?.stop();
    process.exit(code);
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => void stop(signal, 0));
  running = await startParts(parts, config, log, (error) => {
    log.fatal({ err: error }, 'cannot go on');
    void stop('crash', 1);
  });
  if (stopping) await running.stop();
  else await afterStart?.(running);
}

function announce(running: Running): void {
  process.stdout.write(`\nKeytally is at ${running.url}\n`);
  if (running.firstToken) {
    process.stdout.write(`Administrator token, shown only now: ${running.firstToken}\n`);
  }
  process.stdout.write('Stop with Ctrl-C.\n\n');
}

const program = new Command('keytally')
  .description('Usage analytics and alerting for API keys')
  .configureHelp({ showGlobalOptions: true });

program
  .command('start')
  .description('all parts in one process, on the embedded engine and an own Redis unless configured otherwise')
  .action(() => run(['collector', 'worker', 'api'], async (running) => announce(running)));
program
  .command('demo')
  .description('all parts, with real traffic replayed through the HTTP edge')
  .action(() => {
    process.env.KEYTALLY_DATA_DIR ||= './data/demo';
    return run(['collector', 'worker', 'api'], runDemo);
  });
program
  .command('ingest')
  .description('the collector alone (needs REDIS_URL)')
  .action(() => run(['collector']));
program
  .command('worker')
  .description('a worker alone')
  .action(() => run(['worker']));
program
  .command('api')
  .description('the api and dashboard alone (needs REDIS_URL and CLICKHOUSE_URL)')
  .action(() => run(['api']));

program
  .command('import <files...>')
  .description('count access logs, plain or .gz, - for standard input; a second run counts nothing twice')
  .requiredOption('--format <name>', FORMAT_NAMES.join(', '))
  .option(
    '--key <where>',
    'ip, id:NAME, field:PATH, header:NAME or claim:NAME; default: the place the format has for it',
  )
  .option('--since <date>', 'leave out older requests')
  .option('--url <address>', 'address of Keytally', process.env.PUBLIC_URL || 'http://127.0.0.1:8080')
  .option('--token <token>', 'token with the ingest scope; default: KEYTALLY_TOKEN')
  .option('--state <file>', 'where positions are kept; default: ~/.local/state/keytally/imports.json')
  .action((files: string[], flags: ImportFlags) => runImport(files, flags));

program.addCommand(keysCommand()).addCommand(usageCommand()).addCommand(alertsCommand());
program.addCommand(channelsCommand()).addCommand(deliveriesCommand()).addCommand(silencesCommand());
program.addCommand(deadLettersCommand()).addCommand(backupCommand()).addCommand(restoreCommand());
program.addCommand(doctorCommand());

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
program.parseAsync().catch((error: unknown) => {
  const causes = [ConfigError, DataFolderError, CommandError];
  const expected = causes.some((cause) => error instanceof cause) || process.argv[2] === 'import';
  process.stderr.write(expected ? `${(error as Error).message}\n` : `${(error as Error).stack ?? error}\n`);
  process.exit(1);
});
