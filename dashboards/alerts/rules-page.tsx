import { Link } from '../address/link.tsx';
import { useTitle } from '../address/use-title.ts';
import type { PageProps } from '../console/page-props.ts';
import type { AlertKind, Rule } from '../http/contract/alerts.ts';
import { useResource } from '../http/use-resource.ts';
import { TablePanel } from '../panels/data-table.tsx';
import { HostileText } from '../panels/hostile-text.tsx';
import { OnOff } from '../panels/on-off.tsx';
import { Part } from '../panels/part.tsx';
import { scopeOf } from '../policies/policy-words.ts';
import { kindName } from './alert-words.ts';
import { AlertsFrame } from './alerts-frame.tsx';
import { settingsText } from './rule-settings.ts';

export interface Rules {
  data: Rule[];
  defaults: { kind: AlertKind; settings: Record<string, unknown> }[];
}

/** When alerts fire: rules of one's own, and what holds without any. */
export function RulesPage({ api, rights }: PageProps) {
  useTitle('Alert rules');
  const rules = useResource('rules', (signal) => api.get<Rules>('/v1/alert-rules', {}, signal));
  const make = (
    <Link href="/alert-rules/new" class="button primary">
      New rule
    </Link>
  );
  return (
    <AlertsFrame current="alert-rules" rights={rights} action={rights.manage && make}>
      <Part of={rules} what="The rules">
        {({ data, defaults }) => (
          <div class="figures">
            <OwnRules rules={data} />
            <Defaults defaults={defaults} canChange={rights.manage} />
          </div>
        )}
      </Part>
    </AlertsFrame>
  );
}

function OwnRules({ rules }: { rules: Rule[] }) {
  return (
    <TablePanel
      caption="Rules"
      testId="rules-table"
      rows={rules}
      rowKey={(row) => row.rule_id}
      empty="No rule of your own: the settings below hold for every key. A rule changes them for some keys, or switches a kind off."
      columns={[
        {
          name: 'Rule',
          cell: (row) => (
            <Link href={`/alert-rules/${row.rule_id}`} class="key-link">
              <HostileText value={row.name} />
            </Link>
          ),
        },
        { name: 'State', cell: (row) => <OnOff on={row.enabled} /> },
        { name: 'Kind', cell: (row) => kindName(row.kind) },
        { name: 'For', cell: (row) => <HostileText value={row.key_id || scopeOf(row)} /> },
        { name: 'Settings', look: 'wide-only wraps', cell: (row) => settingsText(row.kind, row.settings) },
        {
          name: 'Made by',
          look: 'wide-only',
          cell: (row) => (row.source === 'file' ? 'alerts.yaml' : 'the console'),
        },
      ]}
    />
  );
}

interface DefaultsProps extends Pick<Rules, 'defaults'> {
  canChange: boolean;
}

/** What holds without any rule. */
function Defaults({ defaults, canChange }: DefaultsProps) {
  return (
    <TablePanel
      title="Without a rule"
      caption="Built-in settings"
      note="They hold for every key that no rule names"
      testId="defaults-table"
      rows={defaults}
      rowKey={(row) => row.kind}
      empty=""
      columns={[
        { name: 'Kind', cell: (row) => kindName(row.kind) },
        { name: 'Settings', look: 'wraps', cell: (row) => settingsText(row.kind, row.settings) || 'at once' },
        {
          name: 'Change',
          silent: true,
          look: 'num',
          cell: (row) =>
            canChange && (
              <Link href={`/alert-rules/new?kind=${row.kind}`} class="quiet">
                Change<span class="sr-only"> {kindName(row.kind)}</span>
              </Link>
            ),
        },
      ]}
    />
  );
}
