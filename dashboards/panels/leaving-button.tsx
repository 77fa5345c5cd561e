import type { ComponentChildren } from 'preact';
import { useRef } from 'preact/hooks';
import { ActionButton } from './action-button.tsx';
import { useKeptFocus } from './keep-focus.ts';

interface LeavingButtonProps {
  look?: string;
  busy: boolean;
  onClick: () => void;
  children: ComponentChildren;
}

/** A button that goes when what it asks for is done. Until then it keeps the focus, which a disabled one would lose. */
export function LeavingButton({ look, busy, onClick, children }: LeavingButtonProps) {
  const button = useRef<HTMLButtonElement>(null);
  useKeptFocus(button);
  return (
    <ActionButton button={button} look={look} off={busy} onAct={onClick}>
      {children}
    </ActionButton>
  );
}
