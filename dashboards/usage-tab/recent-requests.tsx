import type { ComponentChildren } from 'preact';
import { formatLatency } from '../format/number.ts';
import type { Page } from '../http/contract/page.ts';
import type { RequestRow } from '../http/contract/usage.ts';
import type { Resource } from '../http/use-resource.ts';
import { countryName } from '../map/country-name.ts';
import { HostileText } from '../panels/hostile-text.tsx';
import { HttpStatus } from '../panels/http-status.tsx';
import { ProblemPanel } from '../panels/problem-panel.tsx';
import { formatInstant, formatShortInstant } from '../time/label.ts';
import { RECENT_REQUESTS } from './use-usage.ts';

interface RecentRequestsProps {
  recent: Resource<Page<RequestRow>>;
  zone: string;
  /** Link to all of them. */
  allLink?: ComponentChildren;
}

export function RecentRequests({ recent, zone, allLink }: RecentRequestsProps) {
  if (recent.problem) return <ProblemPanel what="Recent requests" problem={recent.problem} onRetry={recent.retry} />;
  return (
    <section class="panel" aria-label="Recent requests" aria-busy={recent.loading}>
      <div class="panel-head">
        <h2>Recent requests</h2>
        <p class="panel-note">The last {RECENT_REQUESTS} in this range</p>
        {allLink}
      </div>
      {!recent.data && <div class="skeleton skeleton-rows" />}
      {recent.data?.data.length === 0 && <p class="empty-line">No single request is kept for this range.</p>}
      {recent.data && recent.data.data.length > 0 && <RequestTable rows={recent.data.data} zone={zone} />}
    </section>
  );
}

function RequestTable({ rows, zone }: { rows: RequestRow[]; zone: string }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolled region must be reachable by keyboard
    <section class="scroll-table scroll-tall" tabIndex={0} aria-label="Recent requests, scrolls">
      <table class="data requests" data-testid="recent-requests">
        <thead>
          <tr>
            <th scope="col">Time ({zone})</th>
            <th scope="col">Status</th>
            <th scope="col">Request</th>
            <th scope="col" class="num">
              Latency
            </th>
            <th scope="col">Country</th>
            <th scope="col">Address</th>
            <th scope="col">User agent</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row, index) => (
            <tr key={row.request_id || `${row.timestamp}${index}`}>
              <td class="mono" title={formatInstant(row.timestamp, zone)}>
                {formatShortInstant(row.timestamp, zone)}
              </td>
              <td>
                <HttpStatus status={row.status} />
              </td>
              <td class="grow">
                <span class="endpoint">
                  <HostileText value={row.method} class="method" />
                  <HostileText value={row.path || row.route} class="mono" />
                </span>
              </td>
              <td class="num">{formatLatency(row.latency_ms)}</td>
              <td>{countryName(row.country)}</td>
              <td>
                <HostileText value={row.ip} class="mono" />
              </td>
              <td class="agent">
                <HostileText value={row.user_agent} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
