import { formatCount } from '../format/number.ts';
import type { DeadLetter, SettledLetter } from '../http/contract/system.ts';

export function recordsText(rows: number): string {
  return `${formatCount(rows)} ${rows === 1 ? 'record' : 'records'}`;
}

/** What a replay came to. Records go through the queue again, where they can be refused once more. */
export function settledText({ outcome, rows }: SettledLetter): string {
  if (outcome === 'counted_already') return `Counted already, not again: ${recordsText(rows)}.`;
  return `On their way: ${recordsText(rows)}. What is refused again comes back to this list.`;
}

/** Enough of a letter's first record to know it by; '' when it was kept packed. */
export function sampleText(sample: DeadLetter['sample']): string {
  const { key_id, method, path, status } = sample ?? {};
  return [key_id, method, path, status].filter(Boolean).join(' ');
}
