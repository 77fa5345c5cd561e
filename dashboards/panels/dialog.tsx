import type { ComponentChildren } from 'preact';
import { useId, useLayoutEffect, useRef } from 'preact/hooks';
import type { ProblemError } from '../http/problem.ts';
import { ActionButton } from './action-button.tsx';
import { keepFocus } from './keep-focus.ts';

interface DialogProps {
  title: string;
  onClose: () => void;
  children: ComponentChildren;
  testId?: string;
}

/** A modal: the element itself brings the focus trap, Esc and the inert page behind it. */
export function Dialog({ title, onClose, children, testId }: DialogProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const leaving = useRef(false);
  const name = useId();
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
  const closed = () => !leaving.current && onClose();
  return (
    <dialog ref={dialog} class="modal" aria-labelledby={name} onClose={closed} data-testid={testId}>
      <h2 id={name}>{title}</h2>
      {children}
    </dialog>
  );
}

interface ConfirmProps {
  title: string;
  /** What will happen, and whether it can be taken back. */
  children: ComponentChildren;
  action: string;
  busy: boolean;
  problem: ProblemError | null;
  onConfirm: () => void;
  onClose: () => void;
}

export function Confirm({ title, children, action, busy, problem, onConfirm, onClose }: ConfirmProps) {
  return (
    <Dialog title={title} onClose={onClose} testId="confirm">
      <div class="modal-text">{children}</div>
      <Refusal problem={problem} />
      <div class="modal-actions">
        <button type="button" onClick={onClose}>
          Cancel
        </button>
        <ActionButton look="primary" off={busy} onAct={onConfirm} testId="confirm-action">
          {busy ? 'Working…' : action}
        </ActionButton>
      </div>
    </Dialog>
  );
}

/** Why something the viewer did was refused, beside where it was done. */
export function Refusal({ problem }: { problem: ProblemError | null }) {
  if (!problem) return null;
  return (
    <p class="refusal" role="alert">
      {problem.detail || problem.message}
    </p>
  );
}
