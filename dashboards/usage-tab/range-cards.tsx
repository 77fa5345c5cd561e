import { relativeChange } from '../format/change.ts';
import { formatCompact, formatLatency } from '../format/number.ts';
import type { Totals, Usage } from '../http/contract/usage.ts';
import { Card } from '../panels/card.tsx';
import { TrafficCards } from '../panels/traffic-cards.tsx';

/** What happened in the chosen range, against the one before. */
export function RangeCards({ usage }: { usage: Usage | null }) {
  const totals = usage?.totals ?? null;
  const before = usage?.previous ?? null;
  const limited = totals?.rate_limited ?? 0;
  return (
    <TrafficCards
      totals={totals && withRate(totals)}
      before={before && withRate(before)}
      note={limited > 0 && <span>{formatCompact(limited)} rate limited</span>}
    >
      <Card
        name="Latency p95"
        testId="card-latency"
        value={formatLatency(totals?.latency_ms?.p95)}
        change={relativeChange(totals?.latency_ms?.p95 ?? null, before?.latency_ms?.p95 ?? null)}
        worse="up"
        note={
          totals?.latency_ms?.p50 == null ? (
            <span>not reported</span>
          ) : (
            <span>median {formatLatency(totals.latency_ms.p50)}</span>
          )
        }
      />
    </TrafficCards>
  );
}

/** The api's rate of no requests is 0, which would read as "all went well". */
function withRate(totals: Totals) {
  return { ...totals, error_rate: totals.requests ? totals.error_rate : null };
}
