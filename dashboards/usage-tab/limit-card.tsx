import { formatCompact, formatPercent } from '../format/number.ts';
import type { ApiKey } from '../http/contract/keys.ts';
import { Card } from '../panels/card.tsx';
import { relativeTime } from '../time/label.ts';
import { NEAR_LIMIT, statedLimit, tightestLimit } from './limit-use.ts';

export function Meter({ share, label }: { share: number; label: string }) {
  const tone = share >= 1 ? 'meter-over' : share >= NEAR_LIMIT ? 'meter-near' : '';
  return (
    <span class={`meter ${tone}`} role="img" aria-label={label}>
      <i style={{ width: `${Math.min(100, share * 100)}%` }} />
    </span>
  );
}

interface LimitCardProps {
  apiKey: ApiKey;
  /** When it is used up, if its use goes on as it does. */
  fullAt: string | null;
  now: number;
}

export function LimitCard({ apiKey, fullAt, now }: LimitCardProps) {
  const use = tightestLimit(apiKey);
  const stated = statedLimit(apiKey.limits);
  if (!use && stated) {
    const note = <span>{stated.period}</span>;
    return <Card name="Limit" testId="card-limit" value={formatCompact(stated.limit)} note={note} />;
  }
  const text = use ? formatPercent(use.share) : 'none set';
  return (
    <Card
      name="Limit in use"
      testId="card-limit"
      value={use ? text : <span class="dim">none set</span>}
      note={
        use && (
          <>
            <Meter share={use.share} label={`${text} of the limit in use`} />
            {use.limit !== null && (
              <span>
                of {formatCompact(use.limit)} {use.period}
              </span>
            )}
            {fullAt && <span class="warn">used up {relativeTime(fullAt, now)}</span>}
          </>
        )
      }
    />
  );
}
