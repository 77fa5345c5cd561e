import { Command } from 'commander';
import { ApiClient, CommandError, type ConnectionFlags } from './api-client.ts';
import { connected } from './key-commands.ts';
import { nextPageText } from './next-page.ts';
import { show } from './output.ts';
import { facts, table } from './table.ts';
import { count } from './wording.ts';

interface Letter {
  id: string;
  at: string;
  age_seconds: number;
  rows: number;
  reason: string;
  outcome: string;
}

interface LetterPage {
  data: Letter[];
  next_cursor: string | null;
}

interface Settled {
  id: string;
  outcome: string;
  rows: number;
}

const letterPath = (id: string, rest = '') => `/v1/dead-letters/${encodeURIComponent(id)}${rest}`;
/** Letters replayed by one `--all`, page by page. */
const MAX_ALL = 10_000;

/** `keytally dead-letters …`: what could not be counted. */
export function deadLettersCommand(): Command {
  const letters = new Command('dead-letters').description('rows that could not be counted: list, replay, drop');
  connected(letters.command('list').description('newest first, with the reason'))
    .option('--outcome <outcome>', 'waiting, replayed or dropped', 'waiting')
    .option('--limit <number>', 'at most 500')
    .option('--cursor <cursor>', 'where the page before ended')
    .action(
      async (flags: ConnectionFlags & { outcome?: string; limit?: string; cursor?: string }, command: Command) => {
        const { outcome, limit, cursor } = flags;
        const answer = await new ApiClient(flags).get<LetterPage>('/v1/dead-letters', { outcome, limit, cursor });
        show(answer, flags.json, (page) => lettersText(page, nextPageText(command, page.next_cursor)));
      },
    );
  connected(letters.command('replay [id]').description('count the rows after all; what is counted stays counted once'))
    .option('--all', 'every waiting letter')
    .action(async (id: string | undefined, flags: ConnectionFlags & { all?: boolean }) => {
      if ((id === undefined) === !flags.all) throw new CommandError('give the id of a letter, or --all');
      if (id === undefined) return replayAll(flags);
      show(await new ApiClient(flags).post<Settled>(letterPath(id, '/replay'), {}), flags.json, settledText);
    });
  connected(letters.command('drop <id>').description('give the rows up; the letter with its reason stays')).action(
    async (id: string, flags: ConnectionFlags) => {
      show(await new ApiClient(flags).delete<Settled>(letterPath(id)), flags.json, settledText);
    },
  );
  return letters;
}

/** One that cannot be replayed is named, and does not keep the others from it. */
async function replayAll(flags: ConnectionFlags): Promise<void> {
  const client = new ApiClient(flags);
  let cursor: string | undefined;
  for (let done = 0; done < MAX_ALL; ) {
    const { body } = await client.get<LetterPage>('/v1/dead-letters', { limit: '500', cursor });
    for (const { id } of body.data) {
      done++;
      try {
        show(await client.post<Settled>(letterPath(id, '/replay'), {}), flags.json, settledText);
      } catch (error) {
        if (!(error instanceof CommandError) || error.status !== 409) throw error;
        process.stderr.write(`${id}: ${error.message}\n`);
        process.exitCode = 1;
      }
    }
    if (body.next_cursor === null) return;
    cursor = body.next_cursor;
  }
}

function lettersText({ data }: LetterPage, more: string): string {
  if (data.length === 0) return 'no dead letters\n';
  const columns = [
    { title: 'id', whole: true },
    { title: 'age', right: true },
    { title: 'rows', right: true },
  ];
  const rows = data.map((letter) => [letter.id, ageText(letter.age_seconds), count(letter.rows), letter.reason]);
  return table([...columns, { title: 'reason', whole: true }], rows) + more;
}

function ageText(seconds: number): string {
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7_200) return `${Math.round(seconds / 60)} min`;
  return seconds < 172_800 ? `${Math.round(seconds / 3_600)} h` : `${Math.round(seconds / 86_400)} d`;
}

function settledText({ id, outcome, rows }: Settled): string {
  const words = outcome === 'counted_already' ? 'counted already, nothing queued' : outcome;
  return facts([[id, `${count(rows)} rows ${words}`]]);
}
