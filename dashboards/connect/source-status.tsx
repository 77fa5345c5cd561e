import { formatCount } from '../format/number.ts';
import type { SourceEntry } from '../http/contract/system.ts';
import { relativeTime } from '../time/label.ts';

interface SourceStatusProps {
  heard: readonly SourceEntry[];
  /** The server's clock: the viewer's may be minutes off. */
  now: string | null;
}

/** Whether anything arrives, as soon as it does. Only what arrived is read out: its age changes with every answer. */
export function SourceStatus({ heard, now }: SourceStatusProps) {
  if (!now) return <p class="source-status dim">…</p>;
  const [last] = heard;
  const look = !last ? '' : last.accepted > 0 ? 'pulse-good' : 'pulse-bad';
  return (
    <div class={last ? 'source-status' : 'source-status waiting'} data-testid="source-status">
      <p>
        <i class={`pulse ${look}`.trim()} aria-hidden="true" />
        <span role="status">{last ? <Received last={last} /> : NOTHING}</span>
        {last && `, the last one ${ageOf(last, now)}.`}
      </p>
      {last && last.rejected > 0 && last.error && (
        <p class="bad">
          The first one because of <code>{last.error}</code>
        </p>
      )}
    </div>
  );
}

const NOTHING = 'Nothing has arrived in this format yet. This line changes within seconds when it does.';

function Received({ last: { accepted, rejected } }: { last: SourceEntry }) {
  return (
    <>
      Received <strong>{formatCount(accepted)}</strong> {accepted === 1 ? 'record' : 'records'}
      {rejected > 0 && <span class="bad">, rejected {formatCount(rejected)}</span>}
    </>
  );
}

function ageOf({ last_received_at }: SourceEntry, now: string): string {
  const ago = Math.max(0, Date.parse(now) - Date.parse(last_received_at));
  return ago < 60_000 ? `${Math.round(ago / 1000)} s ago` : relativeTime(last_received_at, Date.parse(now));
}
