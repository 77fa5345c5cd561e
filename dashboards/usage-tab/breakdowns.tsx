import { formatCount, formatLatency, formatPercent } from '../format/number.ts';
import { STATUS_CODES } from '../format/status-text.ts';
import type { Usage } from '../http/contract/usage.ts';
import { ErrorShare } from '../panels/error-share.tsx';
import { HostileText } from '../panels/hostile-text.tsx';
import { HttpStatus } from '../panels/http-status.tsx';
import { RankedTable } from '../panels/ranked-table.tsx';
import type { UsageFilter } from './view.ts';

interface BreakdownProps {
  usage: Usage;
  filter: UsageFilter;
  onToggle: (change: UsageFilter) => void;
}

export function EndpointsTable({ usage, filter, onToggle }: BreakdownProps) {
  const most = usage.endpoints[0]?.requests ?? 0;
  return (
    <RankedTable
      title="Endpoints"
      testId="endpoints-table"
      rows={usage.endpoints}
      rowKey={(row) => `${row.method} ${row.route}`}
      weight={(row) => (most ? row.requests / most : 0)}
      chosen={(row) => filter.route === row.route && (!filter.method || filter.method === row.method)}
      onChoose={(row) => onToggle({ method: row.method, route: row.route })}
      empty="The routes this key calls will be listed here."
      columns={[
        {
          name: 'Endpoint',
          cell: (row) => (
            <span class="endpoint">
              <HostileText value={row.method} class="method" />
              <HostileText value={row.route} class="mono" />
            </span>
          ),
        },
        { name: 'Requests', numeric: true, cell: (row) => formatCount(row.requests) },
        { name: 'Errors', numeric: true, cell: (row) => <ErrorShare rate={row.error_rate} /> },
        { name: 'p95', numeric: true, cell: (row) => formatLatency(row.latency_ms?.p95) },
      ]}
    />
  );
}

export function StatusesTable({ usage, filter, onToggle }: BreakdownProps) {
  const rows = [...usage.statuses].sort((a, b) => b.requests - a.requests);
  const most = rows[0]?.requests ?? 0;
  return (
    <RankedTable
      title="Status codes"
      testId="statuses-table"
      rows={rows}
      rowKey={(row) => String(row.status)}
      weight={(row) => (most ? row.requests / most : 0)}
      chosen={(row) => filter.status === String(row.status)}
      onChoose={(row) => onToggle({ status: String(row.status) })}
      empty="The answers this key got will be counted here."
      columns={[
        {
          name: 'Status',
          cell: (row) => (
            <>
              <HttpStatus status={row.status} /> <span class="dim">{STATUS_CODES[row.status] ?? ''}</span>
            </>
          ),
        },
        { name: 'Requests', numeric: true, cell: (row) => formatCount(row.requests) },
        {
          name: 'Share',
          numeric: true,
          cell: (row) => formatPercent(usage.totals.requests ? row.requests / usage.totals.requests : null),
        },
      ]}
    />
  );
}
