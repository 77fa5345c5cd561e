import { useEffect, useState } from 'preact/hooks';
import { NewTabLink } from '../address/new-tab-link.tsx';
import { formatCount } from '../format/number.ts';
import { Choice } from '../forms/filter-bar.tsx';
import type { ApiClient } from '../http/client.ts';
import type { RuleFields, Severity } from '../http/contract/alerts.ts';
import { useResource } from '../http/use-resource.ts';
import { Table } from '../panels/data-table.tsx';
import { HostileText } from '../panels/hostile-text.tsx';
import { formatShortInstant } from '../time/label.ts';
import { HOUR } from '../time/range.ts';
import { browserZone } from '../time/zone-names.ts';
import { usageAround } from './evidence-words.ts';
import { SeverityBadge } from './severity-badge.tsx';

interface Preview {
  days: number;
  fired: number;
  alerts: { key_id: string; scope: string; at: string; ended_at: string | null; severity: Severity; summary: string }[];
  keys_in_scope: number;
  keys_looked_at: number;
  cut: string;
}

/** Judging days of traffic takes a moment: not for every letter. */
const TYPING_PAUSE_MS = 600;
const DAYS = [
  ['1', '1 day'],
  ['14', '14 days'],
] as const;

/** What the rule would have said of real traffic, by the code that judges it in production. */
export function RulePreview({ api, draft }: { api: ApiClient; draft: RuleFields }) {
  const [days, setDays] = useState('');
  const [asked, setAsked] = useState(draft);
  useEffect(() => {
    const timer = setTimeout(() => setAsked(draft), TYPING_PAUSE_MS);
    return () => clearTimeout(timer);
  }, [draft]);
  const { name, ...rule } = asked;
  const preview = useResource(JSON.stringify([rule, days]), () =>
    api.post<Preview>('/v1/alert-rules/preview', {
      rule: { ...rule, name: name || 'preview' },
      days: Number(days) || 7,
    }),
  );
  const { data, problem, loading } = preview;
  return (
    <section
      class="panel list"
      aria-label="Preview"
      aria-busy={loading && !data && !problem}
      data-testid="rule-preview"
    >
      <div class="panel-head">
        <h2>In the last days</h2>
        <p class="panel-note" role="status">
          {loading && data ? 'Judging…' : ''}
        </p>
        <Choice name="Looked at" any="7 days" value={days} options={DAYS} onChoose={setDays} />
      </div>
      {problem ? (
        <p class="empty-line" role="status">
          {problem.detail || problem.message}
        </p>
      ) : data ? (
        <Fired preview={data} />
      ) : (
        <div class="skeleton-rows skeleton" />
      )}
    </section>
  );
}

function verdict({ fired, days, keys_in_scope }: Preview): string {
  const over = days === 1 ? 'the last day' : `the last ${days} days`;
  if (keys_in_scope === 0) return 'No key is in its scope.';
  if (fired === 0) return `It would not have fired in ${over}.`;
  return `It would have fired ${formatCount(fired)} ${fired === 1 ? 'time' : 'times'} in ${over}.`;
}

function Fired({ preview }: { preview: Preview }) {
  const zone = browserZone();
  return (
    <>
      <p class="verdict" role="status" data-testid="verdict">
        {verdict(preview)}
      </p>
      {preview.cut && <p class="empty-line">{preview.cut}</p>}
      {preview.alerts.length > 0 && (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolled region must be reachable by keyboard
        <section class="scroll-table" tabIndex={0} aria-label="Alerts it would have raised, scrolls">
          <Table
            caption="Alerts it would have raised"
            rows={preview.alerts}
            rowKey={(row) => `${row.key_id} ${row.scope} ${row.at}`}
            columns={[
              {
                name: `When (${zone})`,
                cell: (row) => (
                  <NewTabLink
                    href={usageAround(row.key_id, {
                      from: Date.parse(row.at) - 12 * HOUR,
                      to: Date.parse(row.at) + 6 * HOUR,
                    })}
                  >
                    {formatShortInstant(row.at, zone)}
                  </NewTabLink>
                ),
              },
              { name: 'Key', cell: (row) => <HostileText value={row.key_id} class="mono" empty="all" /> },
              { name: 'What', look: 'wraps', cell: (row) => row.summary },
              { name: 'Severity', look: 'wide-only', cell: (row) => <SeverityBadge severity={row.severity} /> },
            ]}
          />
        </section>
      )}
    </>
  );
}
