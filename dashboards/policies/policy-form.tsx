import type { ComponentChildren } from 'preact';
import { Check, SelectField, TextField } from '../forms/fields.tsx';
import { FormPanel } from '../forms/form-panel.tsx';
import { IdsField } from '../forms/ids-field.tsx';
import { KeyScope } from '../forms/key-scope.tsx';
import { listText, numbersOf, numbersText } from '../forms/list-text.ts';
import { NumberField } from '../forms/number-field.tsx';
import { useTyped } from '../forms/use-typed.ts';
import type { PolicyKind } from '../http/contract/policies.ts';
import type { ProblemError } from '../http/problem.ts';
import { KindSettings } from './kind-settings.tsx';
import { ofKind, type PolicyDraft } from './policy-draft.ts';

interface PolicyFormProps {
  draft: PolicyDraft;
  problem: ProblemError | null;
  editable: boolean;
  onDraft: (draft: PolicyDraft) => void;
  actions: ComponentChildren;
}

const KINDS: [PolicyKind, string][] = [
  ['unused', 'Unused: nobody calls with it'],
  ['abusive', 'Abusive: refused again and again, or far over its limit'],
  ['leaked', 'Leaked: reported as public'],
  ['expired', 'Expired: its date has passed'],
];
const SCOPE = ['organization_id', 'plan'] as const;

export function PolicyForm({ draft, problem, editable, onDraft, actions }: PolicyFormProps) {
  const set = (change: Partial<PolicyDraft>) => onDraft({ ...draft, ...change });
  return (
    <FormPanel label="Rule" {...{ editable, actions }}>
      <TextField label="Name" name="name" value={draft.name} problem={problem} onValue={(name) => set({ name })} />
      <SelectField
        label="Deactivate keys that are"
        name="kind"
        value={draft.kind}
        options={KINDS}
        problem={problem}
        onValue={(kind) => onDraft(ofKind(draft, kind as PolicyKind))}
      />
      <KindSettings
        kind={draft.kind}
        settings={draft.settings}
        problem={problem}
        onSettings={(settings) => set({ settings })}
      />
      <KeyScope fields={SCOPE} {...{ draft, problem }} onChange={set} />
      <Caution {...{ draft, problem }} onChange={set} />
      <IdsField
        label="Never these keys"
        name="exempt_key_ids"
        placeholder="none"
        problem={problem}
        ids={draft.exempt_key_ids}
        onIds={(exempt_key_ids) => set({ exempt_key_ids })}
      />
      <Check
        label="Switched on: runs by itself every few minutes"
        checked={draft.enabled}
        onChecked={(enabled) => set({ enabled })}
      />
    </FormPanel>
  );
}

interface CautionProps extends Pick<PolicyFormProps, 'draft' | 'problem'> {
  onChange: (change: Partial<PolicyDraft>) => void;
}

/** What keeps a policy from surprising anybody. */
function Caution({ draft, problem, onChange }: CautionProps) {
  const warn = useTyped(listText(draft.warn_days), numbersText, (text) => onChange({ warn_days: numbersOf(text) }));
  return (
    <div class="form-row">
      <TextField
        label="Warn, days before"
        name="warn_days"
        hint="Nobody is deactivated who was not warned that long. Empty: at once."
        placeholder="none"
        problem={problem}
        {...warn}
      />
      <NumberField
        label="Most keys in one run"
        name="max_per_run"
        min={1}
        step={1}
        required
        value={draft.max_per_run}
        hint="More matches stop the run before it does anything."
        problem={problem}
        onNumber={(max_per_run) => onChange({ max_per_run: max_per_run ?? null })}
      />
    </div>
  );
}
