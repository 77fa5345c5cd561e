import type { ComponentChildren } from 'preact';
import { useId } from 'preact/hooks';
import type { ProblemError } from '../http/problem.ts';
import { ActionButton } from './action-button.tsx';
import { useModal } from './use-modal.ts';

interface DialogProps {
  title: string;
  onClose: () => void;
  children: ComponentChildren;
  testId?: string;
}

/** A modal with a title. */
export function Dialog({ title, onClose, children, testId }: DialogProps) {
  const modal = useModal(onClose);
  const name = useId();
  return (
    <dialog ref={modal.dialog} class="modal" aria-labelledby={name} onClose={modal.onClose} data-testid={testId}>
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
