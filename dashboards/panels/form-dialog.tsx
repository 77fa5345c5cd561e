import type { ComponentChildren } from 'preact';
import type { Action } from '../http/use-action.ts';
import { ActionButton } from './action-button.tsx';
import { Dialog, Refusal } from './dialog.tsx';

interface FormDialogProps {
  title: string;
  testId: string;
  make: Action<[]>;
  /** What the button says, and what while it is under way. */
  action: string;
  working: string;
  /** Something has to come first. */
  incomplete?: boolean;
  onClose: () => void;
  children: ComponentChildren;
}

/** A modal whose fields make something. */
export function FormDialog(props: FormDialogProps) {
  const { title, testId, make, action, working, incomplete = false, onClose, children } = props;
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    void make.run();
  };
  return (
    <Dialog title={title} onClose={onClose} testId={testId}>
      <form class="form-fields" onSubmit={submit}>
        {children}
        <Refusal problem={make.problem} />
        <div class="modal-actions">
          <button type="button" onClick={onClose}>
            Cancel
          </button>
          <ActionButton type="submit" look="primary" off={make.busy || incomplete}>
            {make.busy ? working : action}
          </ActionButton>
        </div>
      </form>
    </Dialog>
  );
}
