import { useEffect, useRef } from 'preact/hooks';

const SHORTCUTS: [keys: string, does: string][] = [
  ['/', 'Search keys; on the requests page: filter'],
  ['←  →', 'Period before or after'],
  ['Tab, then ←  →', 'Read a chart value by value'],
  ['↑  ↓', 'In an open request: the newer or older one'],
  ['Drag over a chart', 'Zoom in; the browser’s “back” zooms out'],
  ['?', 'This help'],
  ['Esc', 'Close, or leave the search field'],
];

export function ShortcutHelp({ onClose }: { onClose: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  // A modal dialog brings the focus trap, Esc and the inert page behind it.
  useEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog ref={dialog} class="help" aria-labelledby="help-title" onClose={onClose}>
      <h2 id="help-title">Keyboard</h2>
      <dl>
        {SHORTCUTS.map(([keys, does]) => (
          <div key={keys}>
            <dt>
              <kbd>{keys}</kbd>
            </dt>
            <dd>{does}</dd>
          </div>
        ))}
      </dl>
      <form method="dialog">
        <button type="submit">Close</button>
      </form>
    </dialog>
  );
}
