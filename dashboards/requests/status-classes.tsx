const CLASSES = ['2xx', '3xx', '4xx', '5xx'];

interface StatusClassesProps {
  status: string | undefined;
  onStatus: (status: string | undefined) => void;
}

/** The filter people reach for first, one click away. */
export function StatusClasses({ status, onStatus }: StatusClassesProps) {
  return (
    <div class="segments" role="toolbar" aria-label="Status class">
      <button type="button" aria-pressed={!status} onClick={() => onStatus(undefined)}>
        All
      </button>
      {CLASSES.map((name) => (
        <button key={name} type="button" aria-pressed={status === name} onClick={() => onStatus(name)}>
          {name}
        </button>
      ))}
    </div>
  );
}
