import { useEffect, useState } from 'preact/hooks';
import { NewTabLink } from '../address/new-tab-link.tsx';
import { keyPath } from '../address/route.ts';
import { formatCount } from '../format/number.ts';
import type { ApiClient } from '../http/client.ts';
import type { PolicyFields, PolicyPreview } from '../http/contract/policies.ts';
import { useResource } from '../http/use-resource.ts';
import { Table } from '../panels/data-table.tsx';
import { HostileText } from '../panels/hostile-text.tsx';
import { completed, type PolicyDraft } from './policy-draft.ts';

interface PolicyPreviewProps {
  api: ApiClient;
  draft: PolicyDraft;
  /** Counts runs: after one the answer is another. */
  runs: number;
}

const TYPING_PAUSE_MS = 300;

/** What the rule would do now, while it is being written. */
export function PolicyPreviewPanel({ api, draft, runs }: PolicyPreviewProps) {
  const [asked, setAsked] = useState(draft);
  useEffect(() => {
    const timer = setTimeout(() => setAsked(draft), TYPING_PAUSE_MS);
    return () => clearTimeout(timer);
  }, [draft]);
  const { name, enabled, ...rule } = asked;
  const preview = useResource(JSON.stringify([rule, runs]), async () => {
    const { enabled: _, ...fields } = completed(asked);
    const found = await api.post<PolicyPreview>('/v1/policies/preview', { ...fields, name: name || 'preview' });
    return { found, fields };
  });
  const { data, problem } = preview;
  return (
    <section class="panel list" aria-label="Preview" aria-busy={preview.loading && !data} data-testid="policy-preview">
      <div class="panel-head">
        <h2>If it ran now</h2>
      </div>
      {problem ? (
        <p class="empty-line" role="status">
          {problem.detail || problem.message}
        </p>
      ) : data ? (
        <Matches preview={data.found} rule={data.fields} />
      ) : (
        <div class="skeleton-rows skeleton" />
      )}
    </section>
  );
}

type Bounds = Pick<PolicyFields, 'warn_days' | 'max_per_run'>;

function verdict({ matched, would_stop }: PolicyPreview, { warn_days, max_per_run }: Bounds): string {
  if (matched === 0) return 'No key matches: a run would do nothing.';
  const keys = matched === 1 ? 'key' : 'keys';
  if (would_stop) {
    return `${formatCount(matched)} ${keys} match, more than the ${formatCount(max_per_run)} allowed in one run: it would stop and do nothing.`;
  }
  return warn_days.length > 0
    ? `${formatCount(matched)} ${keys} match. They would be warned first, and deactivated when the warning is old enough.`
    : `It would deactivate ${matched === 1 ? 'this 1 key' : `these ${formatCount(matched)} keys`}.`;
}

function Matches({ preview, rule }: { preview: PolicyPreview; rule: Bounds }) {
  return (
    <>
      <p class={preview.would_stop ? 'verdict warn' : 'verdict'} role="status" data-testid="verdict">
        {verdict(preview, rule)}
      </p>
      {preview.keys.length > 0 && (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolled region must be reachable by keyboard
        <section class="scroll-table" tabIndex={0} aria-label="Keys that match, scrolls">
          <Table
            caption="Keys that match"
            rows={preview.keys}
            rowKey={(row) => row.key_id}
            columns={[
              {
                name: 'Key',
                cell: (row) => (
                  <NewTabLink href={keyPath(row.key_id)}>
                    <HostileText value={row.name || row.key_id} />
                  </NewTabLink>
                ),
              },
              { name: 'Because', cell: (row) => row.because, look: 'wraps' },
            ]}
          />
        </section>
      )}
      {preview.matched > preview.keys.length && (
        <p class="empty-line">The first {formatCount(preview.keys.length)} are listed.</p>
      )}
    </>
  );
}
