import type { ComponentChildren } from 'preact';
import { Check, Checks, SelectField, TextField } from '../forms/fields.tsx';
import { FormPanel } from '../forms/form-panel.tsx';
import { KeyScope } from '../forms/key-scope.tsx';
import { namesOf, numberOf, numbersOf } from '../forms/list-text.ts';
import { useTyped } from '../forms/use-typed.ts';
import type { AlertKind, RuleFields, Severity } from '../http/contract.ts';
import type { ProblemError } from '../http/problem.ts';
import { ALERT_KINDS, SEVERITIES } from './alert-words.ts';
import { RULE_SETTINGS, type RuleSetting, shownValue } from './rule-settings.ts';

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
          <Setting
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
      <Minutes
        label="Not again within, minutes"
        name="quiet_minutes"
        value={draft.quiet_minutes}
        hint="Empty: a day"
        problem={problem}
        onValue={(quiet_minutes) => set({ quiet_minutes })}
      />
      <Minutes
        label="Told again every, minutes"
        name="repeat_minutes"
        value={draft.repeat_minutes}
        hint="0: never. Empty: daily, critical ones every 4 h"
        problem={problem}
        onValue={(repeat_minutes) => set({ repeat_minutes })}
      />
    </div>
  );
}

interface MinutesProps {
  label: string;
  name: string;
  value: number | null;
  hint: string;
  problem: ProblemError | null;
  onValue: (value: number | null) => void;
}

function Minutes({ value, onValue, ...field }: MinutesProps) {
  return (
    <TextField
      {...field}
      type="number"
      min={0}
      value={value === null ? '' : String(value)}
      onValue={(text) => onValue(numberOf(text) ?? null)}
    />
  );
}

interface SettingProps {
  setting: RuleSetting;
  value: unknown;
  fallback: unknown;
  problem: ProblemError | null;
  /** Undefined takes the setting out: the default holds. */
  onValue: (value: unknown) => void;
}

function Setting({ setting, value, fallback, problem, onValue }: SettingProps) {
  const { label, shape, options, hint } = setting;
  const typed = useTyped(shownValue(setting, value), (text) => onValue(parsed(setting, text)));
  if (shape === 'switch') {
    return <Check label={label} checked={Boolean(value ?? fallback)} onChecked={onValue} />;
  }
  if (shape === 'words' && options) {
    const chosen = (value ?? fallback ?? []) as string[];
    return <Checks legend={label} options={options} chosen={chosen} onChosen={onValue} />;
  }
  return (
    <TextField
      label={label}
      name="settings"
      type={shape === 'number' || shape === 'percent' ? 'number' : 'text'}
      step="any"
      placeholder={shownValue(setting, fallback) || 'none'}
      hint={hint}
      problem={problem}
      {...typed}
    />
  );
}

function parsed({ shape }: RuleSetting, text: string): unknown {
  if (text.trim() === '') return undefined;
  if (shape === 'words') return namesOf(text.toUpperCase());
  if (shape === 'numbers') return numbersOf(text);
  const value = numberOf(text);
  return shape === 'percent' && value !== undefined ? value / 100 : value;
}
