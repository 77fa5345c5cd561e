import type { ComponentChildren } from 'preact';
import { formatShortInstant } from '../time/label.ts';
import { browserZone } from '../time/zone-names.ts';

interface AsOfProps {
  /** The answers no longer come. */
  old: boolean;
  answeredAt: number;
  onRetry: () => void;
  testId?: string;
  /** What is said while they come. */
  children?: ComponentChildren;
}

/** One live region for both states: it speaks when answers stop and when they come again, not at every tick. */
export function AsOf({ old, answeredAt, onRetry, testId, children }: AsOfProps) {
  return (
    <div class={old ? 'panel notice' : children ? '' : 'silent'}>
      <p class={old || !children ? '' : 'page-lead'} role="status" data-testid={testId}>
        {old
          ? `Keytally does not answer at present. What you see is as of ${formatShortInstant(answeredAt, browserZone())}.`
          : children}
      </p>
      {old && (
        <button type="button" onClick={onRetry}>
          Ask again
        </button>
      )}
    </div>
  );
}
