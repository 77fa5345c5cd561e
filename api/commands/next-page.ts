import type { Command } from 'commander';
import { plain } from './table.ts';

/** A token is not printed, and the cursor is another. */
const LEFT_OUT: ReadonlySet<string> = new Set(['token', 'cursor']);

/** How the page behind this one is asked for: the whole command, because a cursor holds for one order and one choice only. */
export function nextPageText(command: Command, cursor: string | null): string {
  if (cursor === null) return '';
  const names: string[] = [];
  for (let at: Command | null = command; at; at = at.parent) names.unshift(at.name());
  const given = command.options.flatMap((option) => {
    const name = option.attributeName();
    if (LEFT_OUT.has(name) || command.getOptionValueSource(name) !== 'cli') return [];
    return [option.long!, String(command.getOptionValue(name))];
  });
  return `more with ${[...names, ...command.args, ...given, '--cursor', cursor].map(shellWord).join(' ')}\n`;
}

/** As a shell reads it back. */
function shellWord(text: string): string {
  const word = plain(text);
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
