import { formatCompact, formatCount, formatPercent } from '../format/number.ts';
import type { ApiKey, LastUse } from '../http/contract/keys.ts';
import { countryName } from '../map/country-name.ts';
import { Card, CardSkeleton } from '../panels/card.tsx';
import { HostileText } from '../panels/hostile-text.tsx';
import { formatDate, formatInstant, relativeTime } from '../time/label.ts';
import { LimitCard } from './limit-card.tsx';
import { limitFullAt } from './limit-use.ts';

interface KeyCardsProps {
  apiKey: ApiKey | null;
  zone: string;
  now: number;
}

function LastUseNote({ use }: { use: LastUse }) {
  const what = [use.method, use.route].filter(Boolean).join(' ');
  return (
    <span class="last-use">
      {use.country && <span>{countryName(use.country)}</span>}
      {what && <HostileText value={what} class="mono" />}
      {use.status !== null && <span>{use.status}</span>}
    </span>
  );
}

/** What is true of the key whatever range is chosen. */
export function KeyCards({ apiKey, zone, now }: KeyCardsProps) {
  if (!apiKey) {
    return (
      <dl class="cards cards-key" aria-busy="true">
        {[0, 1, 2, 3].map((index) => (
          <CardSkeleton key={index} />
        ))}
      </dl>
    );
  }
  const use = apiKey.last_used;
  const since = apiKey.tracking_since;
  return (
    <dl class="cards cards-key">
      <Card
        name="Last used"
        testId="card-last-used"
        value={use ? relativeTime(use.at, now) : 'never'}
        title={use ? formatInstant(use.at, zone) : undefined}
        note={use ? <LastUseNote use={use} /> : <span>no request seen yet</span>}
      />
      <Card
        name="Total requests"
        testId="card-total"
        value={formatCompact(apiKey.total_requests)}
        title={formatCount(apiKey.total_requests)}
        note={since && <span>since {formatDate(since, zone)}</span>}
      />
      <Card
        name="Last 30 days"
        testId="card-30d"
        value={formatCompact(apiKey.requests_30d)}
        title={formatCount(apiKey.requests_30d)}
        note={apiKey.requests_30d > 0 && <span>{formatPercent(apiKey.error_rate_30d)} errors</span>}
      />
      <LimitCard apiKey={apiKey} fullAt={limitFullAt(apiKey)} now={now} />
    </dl>
  );
}
