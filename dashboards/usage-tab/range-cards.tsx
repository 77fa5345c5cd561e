import { pointChange, relativeChange } from '../format/change.ts';
import { formatCompact, formatCount, formatMilliseconds, formatPercent } from '../format/number.ts';
import type { Totals, Usage } from '../http/contract.ts';
import { Card, CardSkeleton } from '../panels/card.tsx';

function share(errors: number, totals: Totals): string {
  return totals.requests ? formatPercent(errors / totals.requests) : '';
}

/** What happened in the chosen range, against the one before. */
export function RangeCards({ usage }: { usage: Usage | null }) {
  if (!usage) {
    return (
      <dl class="cards" aria-busy="true">
        {[0, 1, 2, 3, 4].map((index) => (
          <CardSkeleton key={index} />
        ))}
      </dl>
    );
  }
  const { totals } = usage;
  const before = usage.previous;
  return (
    <dl class="cards">
      <Card
        name="Requests"
        testId="card-requests"
        value={formatCompact(totals.requests)}
        title={formatCount(totals.requests)}
        change={relativeChange(totals.requests, before?.requests ?? null)}
        note={totals.rate_limited > 0 && <span>{formatCompact(totals.rate_limited)} rate limited</span>}
      />
      <Card
        name="Error rate"
        testId="card-error-rate"
        value={totals.requests ? formatPercent(totals.error_rate) : '–'}
        change={pointChange(rateOf(totals), rateOf(before))}
        worse="up"
      />
      <ErrorCard name="Client errors (4xx)" testId="card-client-errors" field="client_errors" usage={usage} />
      <ErrorCard name="Server errors (5xx)" testId="card-server-errors" field="server_errors" usage={usage} />
      <Card
        name="Latency p95"
        testId="card-latency"
        value={formatMilliseconds(totals.latency_ms?.p95)}
        change={relativeChange(totals.latency_ms?.p95 ?? null, before?.latency_ms?.p95 ?? null)}
        worse="up"
        note={
          totals.latency_ms?.p50 == null ? (
            <span>not reported</span>
          ) : (
            <span>median {formatMilliseconds(totals.latency_ms.p50)}</span>
          )
        }
      />
    </dl>
  );
}

function rateOf(totals: Totals | null): number | null {
  return totals?.requests ? totals.error_rate : null;
}

interface ErrorCardProps {
  name: string;
  testId: string;
  field: 'client_errors' | 'server_errors';
  usage: Usage;
}

function ErrorCard({ name, testId, field, usage }: ErrorCardProps) {
  const count = usage.totals[field];
  return (
    <Card
      name={name}
      testId={testId}
      value={formatCompact(count)}
      title={formatCount(count)}
      change={relativeChange(count, usage.previous?.[field] ?? null)}
      worse="up"
      note={count > 0 && <span>{share(count, usage.totals)}</span>}
    />
  );
}
