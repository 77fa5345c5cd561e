import { HostileText } from './hostile-text.tsx';

interface PillProps {
  /** What is filtered by, e.g. "key". */
  name: string;
  value: string | undefined;
  /** What the remove button calls it, where that is not the name. */
  spoken?: string;
  onRemove: () => void;
}

/** A filter that is on, with the way to take it off. */
export function Pill({ name, value, spoken = name, onRemove }: PillProps) {
  return (
    <span class="pill">
      <span class="dim">{name}</span>
      <HostileText value={value} />
      <button type="button" aria-label={`Remove the ${spoken} filter`} onClick={onRemove}>
        ×
      </button>
    </span>
  );
}
