import { relativeChange } from '../format/change.ts';
import { formatCount } from '../format/number.ts';
import type { GroupedUsage } from '../http/contract/usage.ts';
import { Card } from '../panels/card.tsx';
import { TrafficCards } from '../panels/traffic-cards.tsx';
import { isCut, LISTED_KEYS, totalsOfGroups } from './totals.ts';
import type { Overview } from './use-overview.ts';

/** All readable keys together, against the period before. */
export function OverviewCards({ overview }: { overview: Overview }) {
  const { statuses, statusesBefore, byKey, byKeyBefore } = overview;
  return (
    <TrafficCards
      totals={statuses.data && totalsOfGroups(statuses.data.data)}
      before={statusesBefore.data && totalsOfGroups(statusesBefore.data.data)}
    >
      <Card
        name="Keys in use"
        testId="card-keys-in-use"
        value={byKey.data ? countOf(byKey.data) : '–'}
        change={relativeChange(fullCount(byKey.data), fullCount(byKeyBefore.data))}
      />
    </TrafficCards>
  );
}

function countOf(usage: GroupedUsage): string {
  return fullCount(usage) === null ? `${formatCount(LISTED_KEYS)}+` : formatCount(usage.data.length);
}

/** Null when the list was cut: two cut lists would compare as equal. */
function fullCount(usage: GroupedUsage | null): number | null {
  return usage && !isCut(usage.data) ? usage.data.length : null;
}
