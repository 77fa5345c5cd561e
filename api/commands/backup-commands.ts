import { Command } from 'commander';
import type { BackupParts } from '../../workers/backup.ts';
import { print } from './output.ts';
import { count } from './wording.ts';

/** `keytally backup DIR|s3://…`: everything that cannot be made again, into a new folder or an S3-compatible store. */
export function backupCommand(): Command {
  return new Command('backup')
    .argument('<place>', 'a folder, new or empty, or s3://bucket/prefix with the AWS_ variables')
    .description('save all tables and what only Redis knows; with own stores, stop Keytally first')
    .action((place: string) =>
      withParts(async (parts) => {
        const { backup } = await import('../../workers/backup.ts');
        const { tables, schema } = await backup(parts, place);
        const rows = tables.reduce((sum, table) => sum + table.rows, 0);
        print(`${count(rows)} rows of ${tables.length} tables (schema ${schema}) are in ${place}\n`);
      }),
    );
}

/** `keytally restore DIR|s3://…`: into an empty store. */
export function restoreCommand(): Command {
  return new Command('restore')
    .argument('<place>', 'of a backup: a folder, or s3://bucket/prefix')
    .description('bring a backup into an empty store; nothing else may run on it')
    .action((place: string) =>
      withParts(async (parts) => {
        const { restore } = await import('../../workers/backup.ts');
        const { rows, tables, keys, queued, countedAlready } = await restore(parts, place);
        print(`${count(rows)} rows of ${tables} tables and ${count(keys)} entries of Redis are back\n`);
        if (queued > 0) print(`${count(queued)} batches wait to be counted\n`);
        if (countedAlready > 0) print(`${count(countedAlready)} waiting batches were counted already\n`);
      }),
    );
}

/** Loads what it needs only now: these two commands alone work on the stores themselves. */
async function withParts(act: (parts: BackupParts) => Promise<void>): Promise<void> {
  const { parseConfig } = await import('../../ingest/config.ts');
  const { createLogger } = await import('../../ingest/logger.ts');
  const { connectRedis } = await import('../../ingest/redis.ts');
  const { withStores } = await import('../parts.ts');
  const config = parseConfig({ LOG_LEVEL: 'warn', ...process.env });
  const log = createLogger(config, 'backup');
  await withStores(config, log, async ({ redisUrl, store }) => {
    const redis = await connectRedis(redisUrl, 'worker', (error) => log.warn({ err: error }, 'Redis connection'));
    try {
      await act({ config, store, redis, say: (line) => process.stderr.write(`${line}\n`) });
    } finally {
      redis.disconnect();
    }
  });
}
