import type { ComponentChildren } from 'preact';
import { useRef, useState } from 'preact/hooks';
import { useAction } from '../http/use-action.ts';
import { Confirm } from './dialog.tsx';
import { useKeptFocus } from './keep-focus.ts';

interface ConfirmButtonProps {
  /** On the button itself. */
  text: ComponentChildren;
  look?: string;
  disabled?: boolean;
  /** Why it is disabled. */
  hint?: string;
  /** The question, and the word that says yes to it. */
  title: string;
  action: string;
  act: () => Promise<unknown>;
  /** What will happen, and whether it can be taken back. */
  children: ComponentChildren;
}

/** Something that is done only after a question; the question stays open with the reason when the api refuses. */
export function ConfirmButton({ text, look, disabled, hint, title, action, act, children }: ConfirmButtonProps) {
  const [asked, setAsked] = useState(false);
  const close = () => setAsked(false);
  const { run, busy, problem, forget } = useAction(async () => {
    await act();
    close();
  });
  const button = useRef<HTMLButtonElement>(null);
  // What it asks for may take its own row away, and that comes with a later answer.
  useKeptFocus(button);
  const ask = () => {
    forget();
    setAsked(true);
  };
  return (
    <>
      <button ref={button} type="button" class={look} disabled={disabled} title={hint} onClick={ask}>
        {text}
      </button>
      {asked && (
        <Confirm {...{ title, action, busy, problem }} onConfirm={run} onClose={close}>
          {children}
        </Confirm>
      )}
    </>
  );
}
