import type { ComponentChildren } from 'preact';
import { useId } from 'preact/hooks';
import type { ProblemError } from '../http/problem.ts';

export interface FieldProps {
  label: string;
  hint?: ComponentChildren;
  /** The api's refusal, shown here when it names this field. */
  problem?: ProblemError | null;
  /** Name of the field in the api's words. */
  name: string;
}

interface ShellProps extends FieldProps {
  children: (ids: { id: string; describedBy: string; invalid: boolean }) => ComponentChildren;
}

/** What every field has around it: its label, and below it the hint or why it was refused. */
export function Shell({ label, hint, problem, name, children }: ShellProps) {
  const id = useId();
  const invalid = problem?.field !== undefined && problem.field !== '' && problem.field.split('.')[0] === name;
  const refusal = invalid ? problem.detail.replace(/^[\w.]+: /, '') : '';
  return (
    <div class="form-field">
      <label for={id}>{label}</label>
      {children({ id, describedBy: `${id}-hint`, invalid })}
      <p id={`${id}-hint`} class={refusal ? 'bad' : 'dim'} role={refusal ? 'alert' : undefined}>
        {refusal || hint}
      </p>
    </div>
  );
}

export interface TextProps extends FieldProps {
  value: string;
  onValue: (value: string) => void;
  type?: 'text' | 'email' | 'url' | 'password' | 'number' | 'datetime-local';
  placeholder?: string;
  min?: number;
  max?: number;
  step?: number | 'any';
  required?: boolean;
}

export function TextField({
  value,
  onValue,
  type = 'text',
  placeholder,
  min,
  max,
  step,
  required,
  ...field
}: TextProps) {
  return (
    <Shell {...field}>
      {({ id, describedBy, invalid }) => (
        <input
          id={id}
          name={field.name}
          // The element's types are one union per kind of input; these kinds share every attribute used here.
          type={type as 'text'}
          value={value}
          placeholder={placeholder}
          autocomplete="off"
          {...{ min, max, step, required }}
          aria-describedby={describedBy}
          aria-invalid={invalid}
          onInput={(event) => onValue(event.currentTarget.value)}
        />
      )}
    </Shell>
  );
}

interface SelectProps extends FieldProps {
  value: string;
  options: readonly (readonly [value: string, label: string])[];
  onValue: (value: string) => void;
}

export function SelectField({ value, options, onValue, ...field }: SelectProps) {
  return (
    <Shell {...field}>
      {({ id, describedBy, invalid }) => (
        <select
          id={id}
          name={field.name}
          value={value}
          aria-describedby={describedBy}
          aria-invalid={invalid}
          onChange={(event) => onValue(event.currentTarget.value)}
        >
          {options.map(([option, label]) => (
            <option key={option} value={option}>
              {label}
            </option>
          ))}
        </select>
      )}
    </Shell>
  );
}

interface CheckProps {
  label: string;
  checked: boolean;
  onChecked: (checked: boolean) => void;
}

export function Check({ label, checked, onChecked }: CheckProps) {
  return (
    <label class="check">
      <input type="checkbox" checked={checked} onChange={(event) => onChecked(event.currentTarget.checked)} />
      {label}
    </label>
  );
}

/** Several boxes under one question. */
export function Checks<Value extends string>({
  legend,
  options,
  chosen,
  onChosen,
  look = '',
}: {
  legend: string;
  look?: string;
  options: readonly (readonly [value: Value, label: string])[];
  chosen: readonly Value[];
  onChosen: (chosen: Value[]) => void;
}) {
  return (
    <fieldset class={`checks ${look}`.trim()}>
      <legend>{legend}</legend>
      {options.map(([value, label]) => (
        <Check
          key={value}
          label={label}
          checked={chosen.includes(value)}
          onChecked={(on) => onChosen(on ? [...chosen, value] : chosen.filter((one) => one !== value))}
        />
      ))}
    </fieldset>
  );
}
