import { Command } from 'commander';
import { defaultUrl } from '../../ingest/connection.ts';
import { ApiClient, type ConnectionFlags } from './api-client.ts';
import { importKeyFile } from './key-import-command.ts';
import { type History, historyText, type Key, type KeyPage, keysText, keyText } from './key-text.ts';
import { nextPageText } from './next-page.ts';
import { show } from './output.ts';
import { timeFlag } from './time-flag.ts';

/** Adds the flags that every command talking to the api has. */
export function connected(command: Command): Command {
  return command
    .option('--url <address>', 'address of Keytally', defaultUrl())
    .option('--token <token>', 'token; default: KEYTALLY_TOKEN')
    .option('--json', "print the api's JSON as it is");
}

/** Path of one key in the api. */
export const keyPath = (keyId: string, rest = '') => `/v1/keys/${encodeURIComponent(keyId)}${rest}`;

interface ListFlags extends ConnectionFlags {
  search?: string;
  status?: string;
  organization?: string;
  environment?: string;
  unusedDays?: string;
  sort?: string;
  limitUsed?: string;
  limit?: string;
  cursor?: string;
}

/** `keytally keys …`: the registry of keys from a terminal. */
export function keysCommand(): Command {
  const keys = new Command('keys').description('list, import, deactivate and reactivate keys');
  addReading(keys);
  addChanging(keys);
  return keys;
}

function addReading(keys: Command): void {
  connected(keys.command('list').description('keys with their figures, those with the most requests first'))
    .option('--search <text>', 'in name, id and prefix')
    .option('--status <status>', 'active, inactive, expired, discovered or deleted')
    .option('--organization <id>')
    .option('--environment <name>', 'production, staging or development')
    .option('--unused-days <days>', 'only keys not used for so long')
    .option('--limit-used <percent>', 'only active keys that have used so much of one of their limits')
    .option('--sort <field>', 'key_id, last_used, total_requests, requests_30d, limit_used …; -FIELD: descending')
    .option('--limit <number>', 'at most 500')
    .option('--cursor <cursor>', 'where the page before ended')
    .action(async (flags: ListFlags, command: Command) => {
      const { search, status, environment, sort, limit, cursor, organization, unusedDays, limitUsed } = flags;
      const query = { search, status, environment, sort, limit, cursor };
      const renamed = { organization_id: organization, unused_days: unusedDays, limit_used_percent: limitUsed };
      const answer = await new ApiClient(flags).get<KeyPage>('/v1/keys', { ...query, ...renamed });
      show(answer, flags.json, (page) => keysText(page, nextPageText(command, page.next_cursor)));
    });
  connected(keys.command('show <key>').description('everything known of one key')).action(
    async (keyId: string, flags: ConnectionFlags) => {
      show(await new ApiClient(flags).get<Key>(keyPath(keyId)), flags.json, keyText);
    },
  );
  connected(keys.command('history <key>').description('who did what to a key, when and why, newest first'))
    .option('--limit <number>', 'at most 500')
    .option('--cursor <cursor>', 'where the page before ended')
    .action(async (keyId: string, flags: ConnectionFlags & { limit?: string; cursor?: string }, command: Command) => {
      const { limit, cursor } = flags;
      const answer = await new ApiClient(flags).get<History>(keyPath(keyId, '/history'), { limit, cursor });
      show(answer, flags.json, (page) => historyText(page, nextPageText(command, page.next_cursor)));
    });
}

function addChanging(keys: Command): void {
  connected(keys.command('import <file>').description('register or change keys; - for standard input'))
    .option('--format <name>', 'csv or ndjson; default: by the ending of the file')
    .action(async (file: string, flags: ConnectionFlags & { format?: string }) => {
      process.exitCode = await importKeyFile(file, flags);
    });
  connected(keys.command('deactivate <key>').description('gateways refuse the key from now on'))
    .requiredOption('--reason <text>', 'kept in its history')
    .action((keyId: string, flags: ConnectionFlags & { reason: string }) =>
      change(keyId, 'deactivate', { reason: flags.reason }, flags),
    );
  connected(keys.command('reactivate <key>').description('make an inactive or expired key active again'))
    .option('--expires-at <time>', 'new expiry, such as 2027-01-31 or 2027-01-31T12:00:00Z; never: none')
    .option('--reason <text>', 'kept in its history')
    .action((keyId: string, flags: ConnectionFlags & { expiresAt?: string; reason?: string }) => {
      const { reason, expiresAt } = flags;
      const body = { ...(reason && { reason }), ...(expiresAt && { expires_at: expiryOf(expiresAt) }) };
      return change(keyId, 'reactivate', body, flags);
    });
}

async function change(keyId: string, action: string, body: object, flags: ConnectionFlags): Promise<void> {
  const answer = await new ApiClient(flags).post<Key>(keyPath(keyId, `/${action}`), body);
  show(answer, flags.json, keyText);
}

const expiryOf = (text: string): string | null =>
  text === 'never' ? null : timeFlag('--expires-at', text, '2027-01-31');
