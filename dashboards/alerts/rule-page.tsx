import { useEffect, useState } from 'preact/hooks';
import { Link } from '../address/link.tsx';
import { go } from '../address/location.ts';
import { useTitle } from '../address/use-title.ts';
import type { PageProps } from '../console/page-props.ts';
import type { AlertKind, Rule, RuleFields } from '../http/contract.ts';
import { useAction } from '../http/use-action.ts';
import { useResource } from '../http/use-resource.ts';
import { Confirm, Refusal } from '../panels/dialog.tsx';
import { HostileText } from '../panels/hostile-text.tsx';
import { OnOff } from '../panels/on-off.tsx';
import { ProblemPanel } from '../panels/problem-panel.tsx';
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
  const [asked, setAsked] = useState(false);
  const remove = useAction(async () => {
    await api.remove(`/v1/alert-rules/${id}`);
    go('/alert-rules');
  });
  const editable = rights.manage && stored?.source !== 'file';
  const missing = rules.data && !fresh && !stored;
  const defaults = rules.data?.defaults.find(({ kind }) => kind === draft?.kind)?.settings ?? {};
  return (
    <main class="page" aria-busy={!rules.data && !rules.problem}>
      <p class="crumb">
        <Link href="/alert-rules">Rules</Link>
      </p>
      {rules.problem && <ProblemPanel what="The rule" problem={rules.problem} onRetry={rules.retry} />}
      <div class="page-title">
        <h1>
          {missing ? 'There is no such rule' : fresh ? 'New rule' : <HostileText value={stored?.name} empty="Rule" />}
        </h1>
        {stored && <OnOff on={stored.enabled} />}
        {stored && editable && (
          <span class="title-actions">
            <button type="button" class="quiet" onClick={() => setAsked(true)}>
              Delete
            </button>
          </span>
        )}
      </div>
      {stored?.source === 'file' && <p class="page-lead">This rule is made by alerts.yaml and changed only there.</p>}
      {draft && rules.data && (
        <div class="pair editor">
          <RuleForm
            {...{ draft, defaults, editable, fresh }}
            problem={save.problem}
            onDraft={setDraft}
            actions={
              <>
                <Refusal problem={save.problem} />
                <button
                  type="button"
                  class="primary"
                  data-testid="save"
                  disabled={save.busy}
                  onClick={() => save.run()}
                >
                  {save.busy ? 'Saving…' : fresh ? 'Make rule' : 'Save changes'}
                </button>
              </>
            }
          />
          <RulePreview api={api} draft={draft} />
        </div>
      )}
      {asked && (
        <Confirm
          title="Delete this rule?"
          action="Delete"
          busy={remove.busy}
          problem={remove.problem}
          onConfirm={remove.run}
          onClose={() => setAsked(false)}
        >
          <p>The next less specific rule holds for its keys, or the built-in settings.</p>
        </Confirm>
      )}
    </main>
  );
}
