import { useEffect, useState } from 'preact/hooks';
import { go } from '../address/location.ts';
import { useTitle } from '../address/use-title.ts';
import { EditorFrame, Save } from '../console/editor-frame.tsx';
import type { PageProps } from '../console/page-props.ts';
import type { AlertKind, Rule, RuleFields } from '../http/contract/alerts.ts';
import { useAction } from '../http/use-action.ts';
import { useResource } from '../http/use-resource.ts';
import { ConfirmButton } from '../panels/confirm-button.tsx';
import { OnOff } from '../panels/on-off.tsx';
import { ALERT_KINDS, kindName } from './alert-words.ts';
import { RuleForm } from './rule-form.tsx';
import { RulePreview } from './rule-preview.tsx';
import type { Rules } from './rules-page.tsx';

function newRule(kind: AlertKind): RuleFields {
  return {
    name: kindName(kind),
    kind,
    enabled: true,
    organization_id: '',
    environment: '',
    plan: '',
    key_id: '',
    severity: null,
    quiet_minutes: null,
    repeat_minutes: null,
    settings: {},
  };
}

function fieldsOf({ rule_id, source, created_at, updated_at, ...fields }: Rule): RuleFields {
  return fields;
}

/** One rule, with what it would have said in the last days beside it while it is being written. */
export function RulePage({ api, search, rights, id }: PageProps) {
  const fresh = id === 'new';
  const rules = useResource('rules', (signal) => api.get<Rules>('/v1/alert-rules', {}, signal));
  const stored = rules.data?.data.find((rule) => rule.rule_id === id) ?? null;
  const wanted = new URLSearchParams(search).get('kind') as AlertKind | null;
  const first = ALERT_KINDS.some(([kind]) => kind === wanted) ? wanted! : 'error_rate';
  const [draft, setDraft] = useState<RuleFields | null>(fresh ? newRule(first) : null);
  useEffect(() => {
    if (stored) setDraft(fieldsOf(stored));
  }, [stored]);
  useTitle(draft?.name || 'Rule');
  const save = useAction(async () => {
    if (!draft) return;
    if (fresh) {
      const { rule_id } = await api.post<Rule>('/v1/alert-rules', draft);
      go(`/alert-rules/${rule_id}`, 'replace');
    } else await api.put(`/v1/alert-rules/${id}`, draft);
    rules.retry();
  });
  const editable = rights.manage && stored?.source !== 'file';
  const defaults = rules.data?.defaults.find(({ kind }) => kind === draft?.kind)?.settings ?? {};
  return (
    <EditorFrame
      list={LIST}
      thing="rule"
      {...{ fresh }}
      name={stored?.name}
      problem={rules.problem}
      busy={!rules.data}
      onRetry={rules.retry}
      badge={stored && <OnOff on={stored.enabled} />}
      actions={stored && editable && <DeleteRule api={api} id={id} />}
    >
      {rules.data && !fresh && !stored && <p class="page-lead">There is no such rule any more.</p>}
      {stored?.source === 'file' && <p class="page-lead">This rule is made by alerts.yaml and changed only there.</p>}
      {draft && rules.data && (
        <div class="pair editor">
          <RuleForm
            {...{ draft, defaults, editable, fresh }}
            problem={save.problem}
            onDraft={setDraft}
            actions={<Save save={save} text={fresh ? 'Make rule' : 'Save changes'} />}
          />
          <RulePreview api={api} draft={draft} />
        </div>
      )}
    </EditorFrame>
  );
}

const LIST = { href: '/alert-rules', name: 'Rules' };

function DeleteRule({ api, id }: Pick<PageProps, 'api' | 'id'>) {
  return (
    <span class="title-actions">
      <ConfirmButton
        text="Delete"
        look="quiet"
        title="Delete this rule?"
        action="Delete"
        act={async () => {
          await api.remove(`/v1/alert-rules/${id}`);
          go('/alert-rules');
        }}
      >
        <p>The next less specific rule holds for its keys, or the built-in settings.</p>
      </ConfirmButton>
    </span>
  );
}
