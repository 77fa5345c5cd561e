import { Command } from 'commander';
import type { Delivery } from '../../workers/alerts/delivery/deliveries.ts';
import { ApiClient, CommandError, type ConnectionFlags } from './api-client.ts';
import { connected } from './key-commands.ts';
import { nextPageText } from './next-page.ts';
import { show } from './output.ts';
import { table } from './table.ts';
import { timeFlag } from './time-flag.ts';
import { ago, count } from './wording.ts';

interface Page {
  data: Delivery[];
  next_cursor: string | null;
}

interface ListFlags extends ConnectionFlags {
  channel?: string;
  key?: string;
  status?: string;
  since?: string;
  limit?: string;
  cursor?: string;
}

/** `keytally deliveries …`: what was told to whom, and sending it again. */
export function deliveriesCommand(): Command {
  const deliveries = new Command('deliveries').description('what was told to whom, and what became of it');
  connected(deliveries.command('list').description('newest first'))
    .option('--channel <id>')
    .option('--key <id>')
    .option('--status <status>', 'waiting, retrying, sent, failed, digest, held or dropped')
    .option('--since <time>', 'such as 2026-11-01 or 2026-11-01T12:00:00Z')
    .option('--limit <number>', 'at most 500')
    .option('--cursor <cursor>', 'where the page before ended')
    .action(async (flags: ListFlags, command: Command) => {
      const { channel, key, status, since, limit, cursor } = flags;
      const query = { channel_id: channel, key_id: key, status, since, limit, cursor };
      const answer = await new ApiClient(flags).get<Page>('/v1/deliveries', query);
      show(answer, flags.json, (page) => pageText(page, nextPageText(command, page.next_cursor)));
    });
  connected(
    deliveries.command('replay [delivery]').description('send a delivery again, or all that failed since a time'),
  )
    .option('--failed-since <time>', 'instead of one delivery')
    .option('--channel <id>', 'only what failed in this channel')
    .action(replay);
  return deliveries;
}

async function replay(
  deliveryId: string | undefined,
  flags: ConnectionFlags & { failedSince?: string; channel?: string },
): Promise<void> {
  if ((deliveryId === undefined) === (flags.failedSince === undefined)) {
    throw new CommandError('give the id of one delivery, or --failed-since');
  }
  const client = new ApiClient(flags);
  const answer =
    deliveryId === undefined
      ? await client.post<Replayed>('/v1/deliveries/replay', {
          since: timeFlag('--failed-since', flags.failedSince!, '2026-11-01'),
          channel_id: flags.channel,
        })
      : await client.post<Replayed>(`/v1/deliveries/${encodeURIComponent(deliveryId)}/replay`, {});
  show(answer, flags.json, ({ messages, deliveries }) =>
    messages === 0
      ? 'nothing to send again\n'
      : `messages that are sent again: ${count(messages)}, with alerts in them: ${count(deliveries)}\n`,
  );
}

interface Replayed {
  messages: number;
  deliveries: number;
}

const LIST = [
  { title: 'delivery', whole: true },
  { title: 'when' },
  { title: 'kind' },
  { title: 'about' },
  { title: 'key' },
  { title: 'channel', whole: true },
  { title: 'status' },
  { title: 'attempts', right: true },
  { title: 'reason', whole: true },
];

function pageText({ data }: Page, more: string): string {
  if (data.length === 0) return 'no such deliveries\n';
  const rows = data.map((row) => [
    row.delivery_id,
    ago(row.created_at),
    row.kind,
    row.notify,
    row.key_id,
    row.channel_id,
    row.status,
    row.attempts === 0 ? '' : count(row.attempts),
    row.next_attempt_at === null ? row.reason : `${row.reason}; next ${ago(row.next_attempt_at)}`,
  ]);
  return table(LIST, rows) + more;
}
