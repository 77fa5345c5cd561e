import type { ComponentChildren, RefObject } from 'preact';

interface ActionButtonProps {
  type?: 'button' | 'submit';
  look?: string;
  /** It can do nothing now: it is under way, or something has to come first. */
  off: boolean;
  hint?: string;
  onAct?: () => void;
  testId?: string;
  button?: RefObject<HTMLButtonElement | null>;
  children: ComponentChildren;
}

/**
 * A button that can be switched off while somebody uses it. It is not `disabled`: Chromium takes the focus from such a
 * button, and whoever works by keyboard then starts again at the top of the page.
 */
export function ActionButton({ type = 'button', look, off, hint, onAct, testId, button, children }: ActionButtonProps) {
  const click = (event: MouseEvent) => {
    // Of a submit button: Enter in a field of its form comes as a click, too.
    if (off) event.preventDefault();
    else onAct?.();
  };
  return (
    <button ref={button} type={type} class={look} aria-disabled={off} title={hint} onClick={click} data-testid={testId}>
      {children}
    </button>
  );
}
