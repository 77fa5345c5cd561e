import { Command } from 'commander';
import type { Silence } from '../../workers/alerts/delivery/silences.ts';
import { ApiClient, type ConnectionFlags } from './api-client.ts';
import { commaList } from './channel-commands.ts';
import { connected } from './key-commands.ts';
import { print, show } from './output.ts';
import { facts, table } from './table.ts';
import { timeFlag } from './time-flag.ts';
import { clock, moment } from './wording.ts';

type Shown = Silence & { active: boolean };

interface AddFlags extends ConnectionFlags {
  until: string;
  reason: string;
  organization?: string;
  kinds?: string[];
  keys?: string[];
  environments?: string[];
}

/** `keytally silences …`: what is not told for a while. */
export function silencesCommand(): Command {
  const silences = new Command('silences').description('what is not told for a while');
  connected(silences.command('list').description('silences that are not over'))
    .option('--all', 'those of the past, too')
    .action(async (flags: ConnectionFlags & { all?: boolean }) => {
      const query = { state: flags.all ? 'all' : 'current' };
      show(await new ApiClient(flags).get<{ data: Shown[] }>('/v1/silences', query), flags.json, listText);
    });
  connected(silences.command('add').description('do not tell certain alerts until a time'))
    .requiredOption('--until <time>', 'such as 2026-11-22T08:00:00Z, or 2h, 3d')
    .requiredOption('--reason <text>')
    .option('--organization <id>', 'default: every organization')
    .option('--kinds <kinds>', 'default: any, with commas', commaList)
    .option('--keys <keys>', 'default: any, with commas', commaList)
    .option('--environments <names>', 'default: any, with commas', commaList)
    .action(add);
  connected(silences.command('end <silence>').description('end a silence now')).action(
    async (silenceId: string, flags: ConnectionFlags) => {
      await new ApiClient(flags).delete(`/v1/silences/${encodeURIComponent(silenceId)}`);
      if (!flags.json) print('ended\n');
    },
  );
  return silences;
}

async function add(flags: AddFlags): Promise<void> {
  const { kinds, environments, keys, organization, reason } = flags;
  const body = {
    organization_id: organization,
    matchers: { kinds, environments, key_ids: keys },
    ends_at: endOf(flags.until),
    reason,
  };
  const answer = await new ApiClient(flags).post<Shown>('/v1/silences', body);
  show(answer, flags.json, (silence) =>
    facts([
      ['silence', silence.silence_id],
      ['until', moment(silence.ends_at)],
      ['what', whatOf(silence)],
    ]),
  );
}

const UNIT_MS: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 };

function endOf(text: string): string {
  const [, amount, unit] = /^(\d{1,5})([mhd])$/.exec(text) ?? [];
  if (!unit) return timeFlag('--until', text, '2026-11-22T08:00:00Z or 2h');
  return new Date(Date.now() + Number(amount) * UNIT_MS[unit]!).toISOString();
}

function whatOf({ matchers, organization_id: organization }: Shown): string {
  const parts = [
    organization && `organization ${organization}`,
    matchers.kinds?.join(', '),
    matchers.key_ids?.length && `keys ${matchers.key_ids.join(', ')}`,
    matchers.environments?.join(', '),
  ].filter((part) => part);
  return parts.length === 0 ? 'everything' : parts.join('; ');
}

const LIST = [
  { title: 'silence', whole: true },
  { title: 'from' },
  { title: 'until' },
  { title: 'what', whole: true },
  { title: 'reason' },
  { title: 'by' },
];

function listText({ data }: { data: Shown[] }): string {
  if (data.length === 0) return 'nothing is silenced\n';
  const rows = data.map((silence) => [
    silence.silence_id,
    clock(silence.starts_at),
    clock(silence.ends_at),
    whatOf(silence),
    silence.reason,
    silence.created_by,
  ]);
  return table(LIST, rows);
}
