import { readFileSync } from 'node:fs';
import { text as textOf } from 'node:stream/consumers';
import { Command } from 'commander';
import type { z } from 'zod';
import type { ChannelView } from '../channel-body.ts';
import { ApiClient, CommandError, type ConnectionFlags } from './api-client.ts';
import { connected } from './key-commands.ts';
import { print, show } from './output.ts';
import { facts, table } from './table.ts';

type Channel = z.infer<typeof ChannelView>;
type Made = Channel & { secret?: string };

interface AddFlags extends ConnectionFlags {
  name: string;
  organization?: string;
  purpose?: string;
  to?: string[];
  webhookUrl?: string;
  secret?: string;
  region?: string;
  kinds?: string[];
  minSeverity?: string;
  environments?: string[];
  toOwner?: boolean;
  timezone?: string;
  quiet?: string;
  digestHour?: string;
}

const pathOf = (channelId: string, rest = '') => `/v1/channels/${encodeURIComponent(channelId)}${rest}`;

/** `a,b` → its parts; commander hands over what came before. */
export const commaList = (value: string): string[] =>
  value
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');

/** `keytally channels …`: where alerts and key events are sent. */
export function channelsCommand(): Command {
  const channels = new Command('channels').description('where alerts and key events are sent');
  connected(channels.command('list').description('channels, and which of them cannot deliver')).action(
    async (flags: ConnectionFlags) => {
      show(await new ApiClient(flags).get<{ data: Channel[] }>('/v1/channels'), flags.json, channelsText);
    },
  );
  addAdding(channels);
  addActing(channels);
  return channels;
}

function addAdding(channels: Command): void {
  connected(channels.command('add <type>').description('email, webhook, slack, pagerduty, teams or discord'))
    .requiredOption('--name <text>')
    .option('--organization <id>', 'default: of the platform, which hears of all')
    .option('--purpose <purpose>', 'alerts, or key_events for the platform that owns the keys')
    .option('--to <addresses>', 'email: recipients, with commas', commaList)
    .option('--to-owner', 'email: the owner of the key, too')
    .option('--webhook-url <address>', 'webhook: https://…')
    .option('--secret <file>', 'file (- for standard input) with the address of a chat, or the key of PagerDuty')
    .option('--region <name>', 'pagerduty: us or eu')
    .option('--kinds <kinds>', 'only these, with commas', commaList)
    .option('--min-severity <severity>', 'info, warning or critical')
    .option('--environments <names>', 'only these, with commas', commaList)
    .option('--timezone <name>', 'IANA name, such as Europe/Stockholm')
    .option('--quiet <hours>', 'only critical alerts then, such as 22:00-07:00')
    .option('--digest-hour <hour>', '0 to 23')
    .action(async (type: string, flags: AddFlags) => {
      show(await new ApiClient(flags).post<Made>('/v1/channels', await bodyOf(type, flags)), flags.json, madeText);
    });
}

function addActing(channels: Command): void {
  connected(channels.command('test <channel>').description('send a test message now')).action(
    async (channelId: string, flags: ConnectionFlags) => {
      const answer = await new ApiClient(flags).post<TestAnswer>(pathOf(channelId, '/test'), {});
      show(answer, flags.json, testText);
      process.exitCode = answer.body.result === 'sent' ? 0 : 1;
    },
  );
  connected(channels.command('rotate-secret <channel>').description('a new secret for a webhook')).action(
    async (channelId: string, flags: ConnectionFlags) => {
      const answer = await new ApiClient(flags).post<Rotated>(pathOf(channelId, '/rotate-secret'), {});
      show(answer, flags.json, rotatedText);
    },
  );
  connected(channels.command('remove <channel>').description('delete a channel and its secrets')).action(
    async (channelId: string, flags: ConnectionFlags) => {
      await new ApiClient(flags).delete(pathOf(channelId));
      if (!flags.json) print('removed\n');
    },
  );
}

async function bodyOf(type: string, flags: AddFlags): Promise<object> {
  const { name, organization, purpose, kinds, environments, timezone, toOwner, minSeverity, digestHour } = flags;
  const routing = {
    kinds,
    environments,
    timezone,
    min_severity: minSeverity,
    to_owner: toOwner,
    quiet_hours: flags.quiet === undefined ? undefined : quietOf(flags.quiet),
    digest_hour: digestHour === undefined ? undefined : Number(digestHour),
  };
  const secret = flags.secret === undefined ? undefined : await secretOf(flags.secret);
  return {
    name,
    type,
    purpose,
    organization_id: organization,
    settings: { to: flags.to, url: flags.webhookUrl, region: flags.region },
    secrets: secret === undefined ? undefined : { [type === 'pagerduty' ? 'routing_key' : 'url']: secret },
    routing,
  };
}

function quietOf(text: string): { from: string; to: string } {
  const [, from, to] = /^(\d\d:\d\d)-(\d\d:\d\d)$/.exec(text) ?? [];
  if (from === undefined || to === undefined) throw new CommandError(`--quiet: "${text}" is not such as 22:00-07:00`);
  return { from, to };
}

/** Not an argument: those are seen by everyone on the machine. */
async function secretOf(file: string): Promise<string> {
  try {
    return (file === '-' ? await textOf(process.stdin) : readFileSync(file, 'utf8')).trim();
  } catch (error) {
    throw new CommandError(`--secret: ${file} cannot be read: ${(error as NodeJS.ErrnoException).code}`);
  }
}

const LIST = [
  { title: 'channel', whole: true },
  { title: 'name' },
  { title: 'type' },
  { title: 'purpose' },
  { title: 'organization' },
  { title: 'state' },
  { title: 'problem', whole: true },
];

function channelsText({ data }: { data: Channel[] }): string {
  if (data.length === 0) return 'there are no channels: nobody is told of alerts\n';
  const rows = data.map((channel) => [
    channel.channel_id,
    channel.name,
    channel.type,
    channel.purpose === 'alerts' ? '' : channel.purpose,
    channel.organization_id,
    channel.enabled ? 'on' : 'off',
    channel.disabled_reason || channel.problem,
  ]);
  return table(LIST, rows);
}

function madeText(made: Made): string {
  const { channel_id, name, type, organization_id, secret } = made;
  const lines = facts([
    ['channel', channel_id],
    ['name', name],
    ['type', type],
    ['organization', organization_id],
    ['secret', secret ?? ''],
  ]);
  return secret === undefined
    ? lines
    : `${lines}The secret is shown only now: the receiver needs it to verify messages.\n`;
}

interface TestAnswer {
  result: string;
  response_status: number;
  detail: string;
  duration_ms: number;
}

function testText({ result, response_status: status, detail, duration_ms: durationMs }: TestAnswer): string {
  const answered = status === 0 ? '' : `, answered ${status}`;
  return `${result === 'sent' ? 'sent' : `not sent: ${detail}`}${answered} after ${durationMs} ms\n`;
}

interface Rotated {
  secret: string;
  previous_until: string;
}

function rotatedText({ secret, previous_until: until }: Rotated): string {
  return `${facts([
    ['secret', secret],
    ['the former one holds until', until],
  ])}The secret is shown only now.\n`;
}
