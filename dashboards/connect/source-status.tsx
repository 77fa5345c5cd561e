import { formatCount } from '../format/number.ts';
import type { SourceEntry } from '../http/contract.ts';
import { relativeTime } from '../time/label.ts';

interface SourceStatusProps {
  heard: readonly SourceEntry[];
  /** The server's clock: the viewer's may be minutes off. */
  now: string | null;
}

/** Whether anything arrives, as soon as it does. */
export function SourceStatus({ heard, now }: SourceStatusProps) {
  if (!now) return <p class="source-status dim">…</p>;
  const [last] = heard;
  if (!last) {
    return (
      <p class="source-status waiting" role="status" data-testid="source-status">
        <i class="pulse" aria-hidden="true" />
        Nothing has arrived in this format yet. This line changes within seconds when it does.
      </p>
    );
  }
  const ago = Math.max(0, Date.parse(now) - Date.parse(last.last_received_at));
  const when = ago < 60_000 ? `${Math.round(ago / 1000)} s ago` : relativeTime(last.last_received_at, Date.parse(now));
  return (
    <div class="source-status" role="status" data-testid="source-status">
      <p>
        <i class={`pulse ${last.accepted > 0 ? 'pulse-good' : 'pulse-bad'}`} aria-hidden="true" />
        Received <strong>{formatCount(last.accepted)}</strong> {last.accepted === 1 ? 'record' : 'records'} {when}
        {last.rejected > 0 && <span class="bad">, rejected {formatCount(last.rejected)}</span>}.
      </p>
      {last.rejected > 0 && last.error && (
        <p class="bad">
          The first one because of <code>{last.error}</code>
        </p>
      )}
    </div>
  );
}
