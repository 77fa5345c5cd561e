import type { ComponentChildren } from 'preact';
import { Link } from '../address/link.tsx';
import type { ProblemError } from '../http/problem.ts';
import type { Action } from '../http/use-action.ts';
import { ActionButton } from '../panels/action-button.tsx';
import { Refusal } from '../panels/dialog.tsx';
import { HostileText } from '../panels/hostile-text.tsx';
import { ProblemPanel } from '../panels/problem-panel.tsx';

interface EditorFrameProps {
  /** The list it belongs to. */
  list: { href: string; name: string };
  /** What one of them is called, e.g. "policy". */
  thing: string;
  fresh: boolean;
  name: string | undefined;
  problem: ProblemError | null;
  busy: boolean;
  onRetry: () => void;
  /** Beside the name. */
  badge?: ComponentChildren;
  actions?: ComponentChildren;
  children: ComponentChildren;
}

/** What the pages share on which one thing is made or changed. */
export function EditorFrame(props: EditorFrameProps) {
  const { list, thing, fresh, name, problem, busy, onRetry, badge, actions, children } = props;
  return (
    <main class="page" aria-busy={busy && !problem}>
      <p class="crumb">
        <Link href={list.href}>{list.name}</Link>
      </p>
      <div class="page-title">
        <h1>{fresh ? `New ${thing}` : <HostileText value={name} empty={`The ${thing}`} />}</h1>
        {badge}
        {actions}
      </div>
      {problem ? <ProblemPanel what={`The ${thing}`} problem={problem} onRetry={onRetry} /> : children}
    </main>
  );
}

interface SaveProps {
  save: Action<[]>;
  /** What the button says while nothing is under way. */
  text: string;
  disabled?: boolean;
}

/** The button that saves, with the api's refusal beside it. */
export function Save({ save, text, disabled = false }: SaveProps) {
  return (
    <>
      <Refusal problem={save.problem} />
      <ActionButton look="primary" off={save.busy || disabled} onAct={save.run} testId="save">
        {save.busy ? 'Saving…' : text}
      </ActionButton>
    </>
  );
}
