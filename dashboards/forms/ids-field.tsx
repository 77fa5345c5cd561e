import { type FieldProps, Shell } from './fields.tsx';
import { idsOf, idsText } from './list-text.ts';
import { useTyped } from './use-typed.ts';

interface IdsFieldProps extends FieldProps {
  ids: readonly string[];
  placeholder: string;
  onIds: (ids: string[]) => void;
}

/** Ids of keys or organizations. They may hold any character but line ends, commas too. */
export function IdsField({ ids, placeholder, onIds, ...field }: IdsFieldProps) {
  const typed = useTyped(
    idsText(ids),
    (text) => idsText(idsOf(text)),
    (text) => onIds(idsOf(text)),
  );
  return (
    <Shell hint="With commas between, or one per line: needed where an id holds a comma." {...field}>
      {({ id, describedBy, invalid }) => (
        <textarea
          id={id}
          name={field.name}
          rows={2}
          value={typed.value}
          placeholder={placeholder}
          autocomplete="off"
          spellcheck={false}
          aria-describedby={describedBy}
          aria-invalid={invalid}
          onInput={(event) => typed.onValue(event.currentTarget.value)}
        />
      )}
    </Shell>
  );
}
