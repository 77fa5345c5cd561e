/** `alerts.yaml`: rules as a file. */
import { readFileSync } from 'node:fs';
import { LineCounter, parseDocument } from 'yaml';
import { z } from 'zod';
import { ConfigError } from '../../../ingest/config-error.ts';
import { MAX_RULES } from './rule-store.ts';
import { RuleBody, type RuleFields } from './settings.ts';

/** A mistake in a rules file, told with the line it stands in. */
export class RuleFileError extends ConfigError {}

const File = z.strictObject({ rules: z.array(RuleBody).max(MAX_RULES).default([]) });

/**
 * Rules of a file.
 * @param name of the file, for messages
 * @throws {RuleFileError} one line per mistake: file, line, field, reason
 */
export function parseRuleFile(text: string, name: string): RuleFields[] {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  if (document.errors.length > 0) {
    const said = document.errors.map(
      (error) => `${name}:${lines.linePos(error.pos[0]).line}: ${error.message.split('\n')[0]}`,
    );
    throw new RuleFileError(said.join('\n'));
  }
  const parsed = File.safeParse(document.toJS({ maxAliasCount: 100 }) ?? {});
  const lineOf = (path: readonly PropertyKey[]) => {
    for (let length = path.length; length >= 0; length--) {
      const node = document.getIn(path.slice(0, length), true) as { range?: [number, number, number] } | undefined;
      if (node?.range) return lines.linePos(node.range[0]).line;
    }
    return 1;
  };
  if (!parsed.success) {
    throw new RuleFileError(
      parsed.error.issues
        .map(({ path, message }) => `${name}:${lineOf(path)}: ${fieldText(path)}: ${message}`)
        .join('\n'),
    );
  }
  const seen = new Set<string>();
  parsed.data.rules.forEach((rule, at) => {
    if (seen.has(rule.name))
      throw new RuleFileError(
        `${name}:${lineOf(['rules', at, 'name'])}: rules[${at}].name: "${rule.name}" stands twice`,
      );
    seen.add(rule.name);
  });
  return parsed.data.rules;
}

const fieldText = (path: readonly PropertyKey[]): string =>
  path
    .map((part, at) => (typeof part === 'number' ? `[${part}]` : at === 0 ? String(part) : `.${String(part)}`))
    .join('') || 'file';

/** @throws {RuleFileError} also when it cannot be read */
export function readRuleFile(path: string): RuleFields[] {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new RuleFileError(`ALERTS_FILE: ${path} cannot be read: ${(error as NodeJS.ErrnoException).code ?? 'error'}`);
  }
  return parseRuleFile(text, path);
}
