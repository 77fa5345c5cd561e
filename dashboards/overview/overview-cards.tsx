import { pointChange, relativeChange } from '../format/change.ts';
import { formatCompact, formatCount, formatPercent } from '../format/number.ts';
import type { GroupedUsage } from '../http/contract.ts';
import { Card, CardSkeleton } from '../panels/card.tsx';
import { type GroupTotals, totalsOfGroups } from './totals.ts';
import { LISTED_KEYS, type Overview } from './use-overview.ts';

/** All readable keys together, against the period before. */
export function OverviewCards({ overview }: { overview: Overview }) {
  const { statuses, statusesBefore, byKey, byKeyBefore } = overview;
  if (!statuses.data) {
    return (
      <dl class="cards" aria-busy="true">
        {[0, 1, 2, 3, 4].map((index) => (
          <CardSkeleton key={index} />
        ))}
      </dl>
    );
  }
  const totals = totalsOfGroups(statuses.data.data);
  const before = statusesBefore.data && totalsOfGroups(statusesBefore.data.data);
  return (
    <dl class="cards">
      <Card
        name="Requests"
        testId="card-requests"
        value={formatCompact(totals.requests)}
        title={formatCount(totals.requests)}
        change={relativeChange(totals.requests, before?.requests ?? null)}
      />
      <Card
        name="Error rate"
        testId="card-error-rate"
        value={formatPercent(totals.error_rate)}
        change={pointChange(totals.error_rate, before?.error_rate ?? null)}
        worse="up"
      />
      <ErrorCard name="Client errors (4xx)" testId="card-client-errors" field="client_errors" {...{ totals, before }} />
      <ErrorCard name="Server errors (5xx)" testId="card-server-errors" field="server_errors" {...{ totals, before }} />
      <Card
        name="Keys in use"
        testId="card-keys-in-use"
        value={byKey.data ? countOf(byKey.data) : '–'}
        change={relativeChange(fullCount(byKey.data), fullCount(byKeyBefore.data))}
      />
    </dl>
  );
}

function countOf(usage: GroupedUsage): string {
  return fullCount(usage) === null ? `${formatCount(LISTED_KEYS)}+` : formatCount(usage.data.length);
}

/** Null when the list was cut: two cut lists would compare as equal. */
function fullCount(usage: GroupedUsage | null): number | null {
  return usage && usage.data.length < LISTED_KEYS ? usage.data.length : null;
}

interface ErrorCardProps {
  name: string;
  testId: string;
  field: 'client_errors' | 'server_errors';
  totals: GroupTotals;
  before: GroupTotals | null;
}

function ErrorCard({ name, testId, field, totals, before }: ErrorCardProps) {
  const count = totals[field];
  return (
    <Card
      name={name}
      testId={testId}
      value={formatCompact(count)}
      title={formatCount(count)}
      change={relativeChange(count, before?.[field] ?? null)}
      worse="up"
      note={count > 0 && <span>{formatPercent(count / totals.requests)}</span>}
    />
  );
}
