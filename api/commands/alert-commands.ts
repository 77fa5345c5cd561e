import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import {
  type AlertDetail,
  type AlertPage,
  alertsText,
  alertText,
  appliedText,
  previewText,
  type RuleList,
  rulesText,
} from './alert-text.ts';
import { ApiClient, CommandError, type ConnectionFlags } from './api-client.ts';
import { connected } from './key-commands.ts';
import { nextPageText } from './next-page.ts';
import { print, show } from './output.ts';

interface ListFlags extends ConnectionFlags {
  key?: string;
  kind?: string;
  phase?: string;
  severity?: string;
  organization?: string;
  since?: string;
  limit?: string;
  cursor?: string;
}

/** `keytally alerts …`: alerts and their rules from a terminal. */
export function alertsCommand(): Command {
  const alerts = new Command('alerts').description('list, read and acknowledge alerts; rules');
  addAlerts(alerts);
  addRules(alerts.command('rules').description('list and preview rules, apply a file of them'));
  return alerts;
}

const alertPath = (id: string, rest = '') => `/v1/alerts/${encodeURIComponent(id)}${rest}`;

function addAlerts(alerts: Command): void {
  connected(alerts.command('list').description('alerts, the newest first'))
    .option('--key <id>')
    .option('--kind <kind>', 'such as error_rate, traffic_anomaly, near_limit')
    .option('--phase <phase>', 'open, firing, recovering or resolved')
    .option('--severity <severity>', 'info, warning or critical')
    .option('--organization <id>')
    .option('--since <time>', 'changed since then, such as 2026-11-01; default: 30 days')
    .option('--limit <number>', 'at most 500')
    .option('--cursor <cursor>', 'where the page before ended')
    .action(async (flags: ListFlags, command: Command) => {
      const { key, kind, phase, severity, organization, since, limit, cursor } = flags;
      const query = { key_id: key, organization_id: organization, kind, phase, severity, since, limit, cursor };
      const answer = await new ApiClient(flags).get<AlertPage>('/v1/alerts', query);
      show(answer, flags.json, (page) => alertsText(page, nextPageText(command, page.next_cursor)));
    });
  connected(
    alerts.command('show <alert>').description('one alert: what was seen, what was expected, every step'),
  ).action(async (alertId: string, flags: ConnectionFlags) => {
    show(await new ApiClient(flags).get<AlertDetail>(alertPath(alertId)), flags.json, alertText);
  });
  connected(alerts.command('ack <alert>').description('you have seen it: it is not repeated unless it grows worse'))
    .option('--note <text>', 'kept with the alert')
    .action(async (alertId: string, flags: ConnectionFlags & { note?: string }) => {
      const body = flags.note ? { note: flags.note } : {};
      const answer = await new ApiClient(flags).post<AlertPage['data'][number]>(
        alertPath(alertId, '/acknowledge'),
        body,
      );
      show(answer, flags.json, (alert) => alertText({ ...alert, events: [] }));
    });
}

function addRules(rules: Command): void {
  connected(rules.command('list').description('rules; where none matches the defaults hold')).action(
    async (flags: ConnectionFlags) => {
      show(await new ApiClient(flags).get<RuleList>('/v1/alert-rules'), flags.json, rulesText);
    },
  );
  connected(
    rules.command('apply <file>').description('make the rules of a file as the file has them; others stay'),
  ).action(async (file: string, flags: ConnectionFlags) => {
    const answer = await new ApiClient(flags).post<Parameters<typeof appliedText>[0]>('/v1/alert-rules/apply', {
      rules: await rulesOf(file),
    });
    show(answer, flags.json, appliedText);
  });
  connected(rules.command('preview <file>').description('what each rule of a file would have said in the last days'))
    .option('--days <number>', 'at most 14', '7')
    .action(async (file: string, flags: ConnectionFlags & { days: string }) => {
      const api = new ApiClient(flags);
      for (const rule of await rulesOf(file)) {
        const answer = await api.post<Parameters<typeof previewText>[0]>('/v1/alert-rules/preview', {
          rule,
          days: Number(flags.days),
        });
        if (!flags.json) print(`${rule.name}: `);
        show(answer, flags.json, previewText);
      }
    });
}

/** @throws {CommandError} naming file, line and field */
async function rulesOf(file: string) {
  const { parseRuleFile, RuleFileError } = await import('../../workers/alerts/rules/rule-file.ts');
  try {
    return parseRuleFile(readFileSync(file, 'utf8'), file);
  } catch (error) {
    if (error instanceof RuleFileError) throw new CommandError(error.message);
    throw new CommandError(`${file} cannot be read: ${(error as NodeJS.ErrnoException).code ?? 'error'}`);
  }
}
