import { TextField, type TextProps } from './fields.tsx';
import { numberText, scaledNumberOf } from './shown-text.ts';
import { useTyped } from './use-typed.ts';

interface NumberFieldProps extends Omit<TextProps, 'value' | 'onValue' | 'type'> {
  value: number | null | undefined;
  scale?: number;
  onNumber: (value: number | undefined) => void;
}

export function NumberField({ value, scale, onNumber, ...field }: NumberFieldProps) {
  const typed = useTyped(
    numberText(value, scale),
    (text) => numberText(scaledNumberOf(text, scale), scale),
    (text) => onNumber(scaledNumberOf(text, scale)),
  );
  return <TextField step="any" {...field} type="number" {...typed} />;
}
