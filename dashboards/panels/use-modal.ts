import type { RefObject } from 'preact';
import { useLayoutEffect, useRef } from 'preact/hooks';
import { keepFocus } from './keep-focus.ts';

/**
 * Shows a dialog as a modal for as long as it is drawn: the element itself brings the focus trap, Esc and the inert page behind it.
 * @param onClose asked for by the person; not called when the dialog goes because its owner took it away
 */
export function useModal(onClose: () => void): { dialog: RefObject<HTMLDialogElement | null>; onClose: () => void } {
  const dialog = useRef<HTMLDialogElement>(null);
  const leaving = useRef(false);
  useLayoutEffect(() => {
    const shown = dialog.current!;
    shown.showModal();
    return () => {
      // Closed and not only taken away: the element then gives the focus back to what had it before.
      leaving.current = true;
      shown.close();
      keepFocus();
    };
  }, []);
  // The event of our own close() comes when the dialog is gone, and its owner knows of that already.
  return { dialog, onClose: () => !leaving.current && onClose() };
}
