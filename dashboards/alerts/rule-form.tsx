import type { ComponentChildren } from 'preact';
import { Check, SelectField, TextField } from '../forms/fields.tsx';
import { FormPanel } from '../forms/form-panel.tsx';
import { KeyScope } from '../forms/key-scope.tsx';
import { NumberField } from '../forms/number-field.tsx';
import type { AlertKind, RuleFields, Severity } from '../http/contract/alerts.ts';
import type { ProblemError } from '../http/problem.ts';
import { ALERT_KINDS, SEVERITIES } from './alert-words.ts';
import { RuleSettingField } from './rule-setting-field.tsx';
import { RULE_SETTINGS } from './rule-settings.ts';

interface RuleFormProps {
  draft: RuleFields;
  /** What holds where the rule says nothing. */
  defaults: Record<string, unknown>;
  problem: ProblemError | null;
  editable: boolean;
  fresh: boolean;
  onDraft: (draft: RuleFields) => void;
  actions: ComponentChildren;
}

const SEVERITY_CHOICES = [['', 'as the kind decides'], ...SEVERITIES] as const;
const SCOPE = ['organization_id', 'plan', 'key_id'] as const;

export function RuleForm({ draft, defaults, problem, editable, onDraft, actions }: RuleFormProps) {
  const set = (change: Partial<RuleFields>) => onDraft({ ...draft, ...change });
  const setSetting = (name: string, value: unknown) => {
    const { [name]: _, ...others } = draft.settings;
    set({ settings: value === undefined ? others : { ...others, [name]: value } });
  };
  return (
    <FormPanel label="Rule" {...{ editable, actions }}>
      <TextField label="Name" name="name" value={draft.name} problem={problem} onValue={(name) => set({ name })} />
      <SelectField
        label="Kind of alert"
        name="kind"
        value={draft.kind}
        options={ALERT_KINDS}
        problem={problem}
        onValue={(kind) => set({ kind: kind as AlertKind, settings: {} })}
      />
      <div class="form-row">
        {(RULE_SETTINGS[draft.kind] ?? []).map((setting, index) => (
          <RuleSettingField
            key={`${draft.kind} ${setting.name}`}
            setting={setting}
            value={draft.settings[setting.name]}
            fallback={defaults[setting.name]}
            problem={index === 0 ? problem : null}
            onValue={(value) => setSetting(setting.name, value)}
          />
        ))}
      </div>
      {draft.kind !== 'platform' && <KeyScope fields={SCOPE} {...{ draft, problem }} onChange={set} />}
      <RuleTelling {...{ draft, problem, set }} />
      <Check
        label="Switched on; off, these keys have no such alert"
        checked={draft.enabled}
        onChecked={(enabled) => set({ enabled })}
      />
    </FormPanel>
  );
}

interface RulePartProps extends Pick<RuleFormProps, 'draft' | 'problem'> {
  set: (change: Partial<RuleFields>) => void;
}

/** How loud and how often. */
function RuleTelling({ draft, problem, set }: RulePartProps) {
  return (
    <div class="form-row">
      <SelectField
        label="Severity"
        name="severity"
        value={draft.severity ?? ''}
        options={SEVERITY_CHOICES}
        onValue={(severity) => set({ severity: (severity || null) as Severity | null })}
      />
      <NumberField
        label="Not again within, minutes"
        name="quiet_minutes"
        value={draft.quiet_minutes}
        min={0}
        step={1}
        hint="Empty: as the kind has it, mostly a day"
        problem={problem}
        onNumber={(minutes) => set({ quiet_minutes: minutes ?? null })}
      />
      <NumberField
        label="Told again every, minutes"
        name="repeat_minutes"
        value={draft.repeat_minutes}
        min={0}
        step={1}
        hint="0: never. Empty: as the kind has it, mostly daily, critical ones every 4 h"
        problem={problem}
        onNumber={(minutes) => set({ repeat_minutes: minutes ?? null })}
      />
    </div>
  );
}
