import { Check, Checks, TextField } from '../forms/fields.tsx';
import { namesOf, numbersOf } from '../forms/list-text.ts';
import { NumberField } from '../forms/number-field.tsx';
import { useTyped } from '../forms/use-typed.ts';
import type { ProblemError } from '../http/problem.ts';
import { type RuleSetting, shownValue } from './rule-settings.ts';

interface RuleSettingFieldProps {
  setting: RuleSetting;
  value: unknown;
  /** What holds while the rule says nothing. */
  fallback: unknown;
  problem: ProblemError | null;
  /** Undefined takes the setting out: the default holds. */
  onValue: (value: unknown) => void;
}

/** One threshold of a rule, in the shape of field that suits it. */
export function RuleSettingField(props: RuleSettingFieldProps) {
  const { setting, value, fallback, problem, onValue } = props;
  const { label, shape, options, hint } = setting;
  if (shape === 'switch') {
    return <Check label={label} checked={Boolean(value ?? fallback)} onChecked={onValue} />;
  }
  if (shape === 'words' && options) {
    const chosen = (value ?? fallback ?? []) as string[];
    return <Checks legend={label} options={options} chosen={chosen} onChosen={onValue} />;
  }
  if (shape === 'words' || shape === 'numbers') return <ListSetting {...props} />;
  return (
    <NumberField
      {...{ label, hint, problem }}
      name="settings"
      placeholder={shownValue(setting, fallback) || 'none'}
      value={value as number | undefined}
      scale={shape === 'percent' ? 100 : 1}
      onNumber={onValue}
    />
  );
}

function ListSetting({ setting, value, fallback, problem, onValue }: RuleSettingFieldProps) {
  const canonical = (text: string) => shownValue(setting, listOf(setting, text));
  const typed = useTyped(shownValue(setting, value), canonical, (text) => onValue(listOf(setting, text)));
  return (
    <TextField
      label={setting.label}
      name="settings"
      placeholder={shownValue(setting, fallback) || 'none'}
      hint={setting.hint}
      problem={problem}
      {...typed}
    />
  );
}

function listOf({ shape }: RuleSetting, text: string): string[] | number[] | undefined {
  if (text.trim() === '') return undefined;
  return shape === 'words' ? namesOf(text.toUpperCase()) : numbersOf(text);
}
