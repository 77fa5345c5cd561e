import type { ComponentChildren } from 'preact';
import type { Change } from '../format/change.ts';

interface CardProps {
  name: string;
  testId: string;
  value: ComponentChildren;
  /** The exact figure where the card shows a rounded one. */
  title?: string;
  change?: Change;
  /** Which direction is bad news; none for mere volume. */
  worse?: 'up' | 'down';
  note?: ComponentChildren;
}

const ARROWS: Record<Change['direction'], string> = { up: '↑', down: '↓', flat: '', new: '', unknown: '' };

function ChangeText({ change, worse }: { change: Change; worse?: 'up' | 'down' }) {
  if (!change.text) return null;
  const moved = change.direction === 'new' ? 'up' : change.direction;
  const judged = worse && (moved === 'up' || moved === 'down');
  const tone = judged ? (moved === worse ? 'change-bad' : 'change-good') : '';
  return (
    <span class={`change ${tone}`} title="Against the period before, of the same length">
      {ARROWS[change.direction] && <span aria-hidden="true">{ARROWS[change.direction]} </span>}
      {change.text}
    </span>
  );
}

export function Card({ name, testId, value, title, change, worse, note }: CardProps) {
  return (
    <div class="card" data-testid={testId}>
      <dt>{name}</dt>
      <dd class="card-value" title={title}>
        {value}
      </dd>
      <dd class="card-note">
        {change && <ChangeText change={change} worse={worse} />}
        {note}
      </dd>
    </div>
  );
}

/** Same size as a card, so that nothing moves when the figures arrive. */
export function CardSkeleton({ testId }: { testId?: string }) {
  return (
    <div class="card" aria-hidden="true" data-testid={testId && `${testId}-loading`}>
      <dt>
        <span class="skeleton skeleton-word" />
      </dt>
      <dd class="card-value">
        <span class="skeleton skeleton-number" />
      </dd>
      <dd class="card-note">
        <span class="skeleton skeleton-word" />
      </dd>
    </div>
  );
}
