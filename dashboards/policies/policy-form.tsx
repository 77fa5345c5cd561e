import type { ComponentChildren } from 'preact';
import { Check, SelectField, TextField } from '../forms/fields.tsx';
import { FormPanel } from '../forms/form-panel.tsx';
import { KeyScope } from '../forms/key-scope.tsx';
import { namesOf, numberOf, numbersOf } from '../forms/list-text.ts';
import { useTyped } from '../forms/use-typed.ts';
import type { PolicyFields, PolicyKind } from '../http/contract.ts';
import type { ProblemError } from '../http/problem.ts';
import { FIRST_SETTINGS } from './policy-words.ts';

interface PolicyFormProps {
  draft: PolicyFields;
  problem: ProblemError | null;
  editable: boolean;
  onDraft: (draft: PolicyFields) => void;
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
  const set = (change: Partial<PolicyFields>) => onDraft({ ...draft, ...change });
  const warn = useTyped(draft.warn_days.join(', '), (text) => set({ warn_days: numbersOf(text) }));
  const exempt = useTyped(draft.exempt_key_ids.join(', '), (text) => set({ exempt_key_ids: namesOf(text) }));
  return (
    <FormPanel label="Rule" {...{ editable, actions }}>
      <TextField label="Name" name="name" value={draft.name} problem={problem} onValue={(name) => set({ name })} />
      <SelectField
        label="Deactivate keys that are"
        name="kind"
        value={draft.kind}
        options={KINDS}
        problem={problem}
        onValue={(kind) => set({ kind: kind as PolicyKind, settings: FIRST_SETTINGS[kind as PolicyKind] })}
      />
      <KindSettings draft={draft} problem={problem} onSettings={(settings) => set({ settings })} />
      <KeyScope fields={SCOPE} {...{ draft, problem }} onChange={set} />
      <div class="form-row">
        <TextField
          label="Warn, days before"
          name="warn_days"
          hint="Nobody is deactivated who was not warned that long. Empty: at once."
          placeholder="none"
          problem={problem}
          {...warn}
        />
        <TextField
          label="Most keys in one run"
          name="max_per_run"
          type="number"
          min={1}
          value={String(draft.max_per_run)}
          hint="More matches stop the run before it does anything."
          problem={problem}
          onValue={(text) => set({ max_per_run: numberOf(text) ?? 1 })}
        />
      </div>
      <TextField
        label="Never these keys"
        name="exempt_key_ids"
        placeholder="key ids, with commas between"
        problem={problem}
        {...exempt}
      />
      <Check
        label="Switched on: runs by itself every few minutes"
        checked={draft.enabled}
        onChecked={(enabled) => set({ enabled })}
      />
    </FormPanel>
  );
}

type Settings = PolicyFields['settings'];

interface KindSettingsProps extends Pick<PolicyFormProps, 'draft' | 'problem'> {
  onSettings: (settings: Settings) => void;
}

interface SettingField {
  name: keyof Settings;
  label: string;
  hint?: string;
  /** What stands in the field for a stored 1: rates are shown in per cent. */
  scale?: number;
}

const SETTING_FIELDS: Partial<Record<PolicyKind, SettingField[]>> = {
  unused: [
    { name: 'unused_days', label: 'Not used for, days' },
    { name: 'never_used_days', label: 'Never used in, days', hint: 'Counted from when Keytally first knew the key.' },
  ],
  abusive: [
    {
      name: 'client_error_rate',
      label: 'Client errors, %',
      hint: '4xx only: 5xx are not the key’s fault.',
      scale: 100,
    },
    { name: 'limit_factor', label: 'Times its limit per minute' },
    { name: 'window_minutes', label: 'Over, minutes' },
    { name: 'min_requests', label: 'Of at least, requests', hint: 'Fewer prove nothing.' },
  ],
};

function KindSettings({ draft, problem, onSettings }: KindSettingsProps) {
  const fields = SETTING_FIELDS[draft.kind];
  if (!fields) return null;
  return (
    <div class="form-row">
      {fields.map(({ name, label, hint, scale = 1 }) => {
        const value = draft.settings[name];
        return (
          <TextField
            key={name}
            label={label}
            name="settings"
            type="number"
            min={0}
            step="any"
            hint={hint}
            value={value === undefined ? '' : String(Math.round(value * scale * 1e6) / 1e6)}
            problem={name === fields[0]!.name ? problem : null}
            onValue={(text) => {
              const typed = numberOf(text);
              const { [name]: _, ...others } = draft.settings;
              onSettings(typed === undefined ? others : { ...others, [name]: typed / scale });
            }}
          />
        );
      })}
    </div>
  );
}
