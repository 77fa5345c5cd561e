import { NumberField } from '../forms/number-field.tsx';
import type { PolicyFields, PolicyKind } from '../http/contract/policies.ts';
import type { ProblemError } from '../http/problem.ts';

type Settings = PolicyFields['settings'];

interface SettingField {
  name: keyof Settings;
  label: string;
  hint?: string;
  /** What holds while the field is empty. */
  empty?: string;
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
    { name: 'window_minutes', label: 'Over, minutes', empty: '15' },
    { name: 'min_requests', label: 'Of at least, requests', hint: 'Fewer prove nothing.', empty: '100' },
    {
      name: 'anomaly_minutes',
      label: 'Alert open for, minutes',
      hint: 'Unacknowledged, of its behaviour: a spike, other countries, refused requests.',
    },
  ],
};

interface KindSettingsProps {
  kind: PolicyKind;
  settings: Settings;
  problem: ProblemError | null;
  onSettings: (settings: Settings) => void;
}

/** The thresholds of one kind of policy. */
export function KindSettings({ kind, settings, problem, onSettings }: KindSettingsProps) {
  const fields = SETTING_FIELDS[kind];
  if (!fields) return null;
  return (
    <div class="form-row">
      {fields.map(({ name, label, hint, empty, scale }) => (
        <NumberField
          key={name}
          label={label}
          name="settings"
          min={0}
          hint={[hint, empty && `Empty: ${empty}.`].filter(Boolean).join(' ')}
          placeholder={empty ?? 'none'}
          value={settings[name]}
          scale={scale}
          problem={name === fields[0]!.name ? problem : null}
          onNumber={(value) => {
            const { [name]: _, ...others } = settings;
            onSettings(value === undefined ? others : { ...others, [name]: value });
          }}
        />
      ))}
    </div>
  );
}
