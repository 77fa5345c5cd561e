import { useEffect, useState } from 'preact/hooks';
import { go } from '../address/location.ts';
import { useTitle } from '../address/use-title.ts';
import { EditorFrame, Save } from '../console/editor-frame.tsx';
import type { PageProps } from '../console/page-props.ts';
import type { Policy } from '../http/contract/policies.ts';
import { useAction } from '../http/use-action.ts';
import { useResource } from '../http/use-resource.ts';
import { ConfirmButton } from '../panels/confirm-button.tsx';
import { OnOff } from '../panels/on-off.tsx';
import { completed, fieldsOf, NEW_POLICY, type PolicyDraft } from './policy-draft.ts';
import { PolicyForm } from './policy-form.tsx';
import { PolicyPreviewPanel } from './policy-preview.tsx';
import { PolicyRuns } from './policy-runs.tsx';

/** One policy: its rule on the left, what it would do now beside it, what it did below. */
export function PolicyPage({ api, rights, id }: PageProps) {
  const fresh = id === 'new';
  const stored = useResource(`policy ${id}`, async (signal) =>
    fresh ? null : await api.get<Policy>(`/v1/policies/${encodeURIComponent(id)}`, {}, signal),
  );
  const [draft, setDraft] = useDraft(stored.data, fresh);
  useTitle(draft?.name || 'Policy');
  const [runs, setRuns] = useState(0);

  const save = useAction(async () => {
    if (!draft) return;
    const fields = completed(draft);
    if (fresh) return go(`/policies/${(await api.post<Policy>('/v1/policies', fields)).policy_id}`, 'replace');
    await api.put(`/v1/policies/${id}`, fields);
    stored.retry();
  });
  const policy = stored.data;
  const changed = draft !== null && policy !== null && JSON.stringify(draft) !== JSON.stringify(fieldsOf(policy));
  const onRun = () => setRuns(runs + 1);
  const saveText = !fresh ? 'Save changes' : draft?.enabled ? 'Save and switch on' : 'Save, switched off';
  return (
    <EditorFrame
      list={LIST}
      thing="policy"
      {...{ fresh }}
      name={policy?.name}
      problem={stored.problem}
      busy={!draft}
      onRetry={stored.retry}
      badge={policy && <OnOff on={policy.enabled} />}
      actions={policy && rights.manage && <PolicyActions {...{ api, policy, changed, onRun }} />}
    >
      {draft && (
        <div class="pair editor">
          <PolicyForm
            draft={draft}
            problem={save.problem}
            editable={rights.manage}
            onDraft={setDraft}
            actions={<Save save={save} text={saveText} disabled={!fresh && !changed} />}
          />
          <PolicyPreviewPanel api={api} draft={draft} runs={runs} />
        </div>
      )}
      {policy && <PolicyRuns {...{ api, rights, policy, runs }} onUndone={onRun} />}
    </EditorFrame>
  );
}

/** Follows what is stored; the viewer changes it until it is saved. */
function useDraft(stored: Policy | null, fresh: boolean) {
  const [draft, setDraft] = useState<PolicyDraft | null>(fresh ? NEW_POLICY : null);
  useEffect(() => {
    if (stored) setDraft(fieldsOf(stored));
    else if (fresh) setDraft(NEW_POLICY);
  }, [stored, fresh]);
  return [draft, setDraft] as const;
}

const LIST = { href: '/policies', name: 'Policies' };

interface PolicyActionsProps extends Pick<PageProps, 'api'> {
  policy: Policy;
  /** Unsaved changes: what runs is what was saved. */
  changed: boolean;
  onRun: () => void;
}

function PolicyActions({ api, policy, changed, onRun }: PolicyActionsProps) {
  const path = `/v1/policies/${policy.policy_id}`;
  return (
    <span class="title-actions">
      <ConfirmButton
        text="Delete"
        look="quiet"
        title="Delete this policy?"
        action="Delete"
        act={async () => {
          await api.remove(path);
          go('/policies');
        }}
      >
        <p>Keys it deactivated stay deactivated. To bring them back, undo its runs first.</p>
      </ConfirmButton>
      <ConfirmButton
        text="Run now…"
        disabled={changed}
        hint={changed ? 'Save first' : ''}
        title="Run this policy now?"
        action="Run now"
        act={async () => {
          await api.post(`${path}/run`);
          onRun();
        }}
      >
        <p>
          It warns or deactivates the keys of the preview. Gateways refuse a deactivated key within seconds. More than{' '}
          {policy.max_per_run} matching keys stop the run before it does anything, and a run can be undone.
        </p>
      </ConfirmButton>
    </span>
  );
}
