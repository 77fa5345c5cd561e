import { useEffect, useRef, useState } from 'preact/hooks';
import { wallClockInput } from '../time/label.ts';
import type { Span } from '../time/range.ts';
import type { TimeView } from '../time/time-view.ts';
import { instantOfInput } from '../time/wall-clock-input.ts';

interface CustomRangeProps<View extends TimeView> {
  view: View;
  span: Span;
  onView: (view: View) => void;
}

/** Start and end as a wall clock of the chosen zone, not of the browser's. */
export function CustomRange<View extends TimeView>({ view, span, onView }: CustomRangeProps<View>) {
  const [open, setOpen] = useState(false);
  const [wrong, setWrong] = useState('');
  const box = useRef<HTMLDivElement>(null);
  const opener = useRef<HTMLButtonElement>(null);
  const custom = !('preset' in view.range);

  useEffect(() => {
    if (!open) return;
    const outside = (event: Event) => {
      if (!event.composedPath().includes(box.current!)) setOpen(false);
    };
    document.addEventListener('pointerdown', outside);
    return () => document.removeEventListener('pointerdown', outside);
  }, [open]);

  const close = () => {
    setOpen(false);
    opener.current?.focus();
  };

  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const fields = new FormData(event.currentTarget as HTMLFormElement);
    const from = instantOfInput(String(fields.get('from')), view.zone);
    const to = instantOfInput(String(fields.get('to')), view.zone);
    if (from === null || to === null || from >= to) return setWrong('The end must be after the start.');
    setWrong('');
    close();
    onView({ ...view, live: false, range: { from, to } });
  };

  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: Escape closes from anywhere inside
    <div class="popover-host" ref={box} onKeyDown={(event) => open && event.key === 'Escape' && close()}>
      <button ref={opener} type="button" aria-pressed={custom} aria-expanded={open} onClick={() => setOpen(!open)}>
        Custom
      </button>
      {open && <RangeForm {...{ span, wrong }} zone={view.zone} onSubmit={submit} />}
    </div>
  );
}

interface RangeFormProps {
  span: Span;
  zone: string;
  /** Why the last try was refused. */
  wrong: string;
  onSubmit: (event: SubmitEvent) => void;
}

function RangeForm({ span, zone, wrong, onSubmit }: RangeFormProps) {
  return (
    <form class="popover" onSubmit={onSubmit}>
      <label class="field">
        From
        <input name="from" type="datetime-local" required defaultValue={wallClockInput(span.from, zone)} />
      </label>
      <label class="field">
        To
        <input name="to" type="datetime-local" required defaultValue={wallClockInput(span.to, zone)} />
      </label>
      <p class="dim">Times in {zone}. Dragging over a chart does the same.</p>
      {wrong && <p class="warn">{wrong}</p>}
      <button type="submit" class="primary">
        Show
      </button>
    </form>
  );
}
