import type { ComponentChildren } from 'preact';
import { pointChange, relativeChange } from '../format/change.ts';
import { formatCompact, formatCount, formatRate } from '../format/number.ts';
import { Card, CardSkeleton } from './card.tsx';
import type { TrafficTotals } from './traffic-totals.ts';

interface TrafficCardsProps {
  /** Null while they are on their way. */
  totals: TrafficTotals | null;
  before: TrafficTotals | null;
  /** Below the number of requests. */
  note?: ComponentChildren;
  /** The page's own cards behind these. */
  children?: ComponentChildren;
}

const CARDS = 5;

/** Requests and errors of a time, against the time before. */
export function TrafficCards({ totals, before, note, children }: TrafficCardsProps) {
  if (!totals) {
    return (
      <dl class="cards" aria-busy="true">
        {Array.from({ length: CARDS }, (_, index) => (
          <CardSkeleton key={index} />
        ))}
      </dl>
    );
  }
  return (
    <dl class="cards">
      <Card
        name="Requests"
        testId="card-requests"
        value={formatCompact(totals.requests)}
        title={formatCount(totals.requests)}
        change={relativeChange(totals.requests, before?.requests ?? null)}
        note={note}
      />
      <Card
        name="Error rate"
        testId="card-error-rate"
        value={formatRate(totals.error_rate)}
        change={pointChange(totals.error_rate, before?.error_rate ?? null)}
        worse="up"
      />
      <ErrorCard name="Client errors (4xx)" testId="card-client-errors" field="client_errors" {...{ totals, before }} />
      <ErrorCard name="Server errors (5xx)" testId="card-server-errors" field="server_errors" {...{ totals, before }} />
      {children}
    </dl>
  );
}

interface ErrorCardProps {
  name: string;
  testId: string;
  field: 'client_errors' | 'server_errors';
  totals: TrafficTotals;
  before: TrafficTotals | null;
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
      note={count > 0 && <span>{formatRate(count / totals.requests)}</span>}
    />
  );
}
