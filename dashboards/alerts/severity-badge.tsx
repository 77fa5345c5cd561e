import type { Alert, Severity } from '../http/contract/alerts.ts';

const LOOKS: Record<Severity, string> = {
  critical: 'badge badge-inactive',
  warning: 'badge badge-expired',
  info: 'badge',
};
/** Told apart by shape as well as by colour. */
const SIGNS: Record<Severity, string> = { critical: '▲', warning: '◆', info: '●' };

export function SeverityBadge({ severity }: { severity: Severity }) {
  return (
    <span class={LOOKS[severity]}>
      <span aria-hidden="true">{SIGNS[severity]} </span>
      {severity}
    </span>
  );
}

/** How an alert stands, in a word. */
export function standingOf({
  phase,
  acknowledged,
  withheld,
}: Pick<Alert, 'phase' | 'acknowledged' | 'withheld'>): string {
  if (phase === 'resolved') return 'over';
  if (acknowledged) return 'seen';
  return withheld || (phase === 'recovering' ? 'recovering' : 'firing');
}
