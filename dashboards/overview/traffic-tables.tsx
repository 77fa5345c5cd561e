import { Link } from '../address/link.tsx';
import { formatCount, formatPercent } from '../format/number.ts';
import { STATUS_CODES } from '../format/status-text.ts';
import type { UsageGroup } from '../http/contract/usage.ts';
import { ErrorShare } from '../panels/error-share.tsx';
import { HostileText } from '../panels/hostile-text.tsx';
import { HttpStatus } from '../panels/http-status.tsx';
import { RankedTable } from '../panels/ranked-table.tsx';
import { type RequestFilter, requestsPath } from '../requests/requests-view.ts';
import type { TimeView } from '../time/time-view.ts';

interface TrafficTableProps {
  groups: readonly UsageGroup[];
  view: TimeView;
}

export function explorerPath(view: TimeView, filter: RequestFilter): string {
  return requestsPath({ ...view, filter });
}

export function RoutesTable({ groups, view }: TrafficTableProps) {
  const most = groups[0]?.requests ?? 0;
  return (
    <RankedTable
      title="Top routes"
      testId="routes-table"
      rows={groups}
      rowKey={(row) => row.group}
      weight={(row) => (most ? row.requests / most : 0)}
      empty="The routes your keys call will be listed here."
      columns={[
        {
          name: 'Route',
          cell: (row) => (
            <Link href={explorerPath(view, { route: row.group })} class="row-filter">
              <HostileText value={row.group} class="mono" />
            </Link>
          ),
        },
        { name: 'Requests', numeric: true, cell: (row) => formatCount(row.requests) },
        { name: 'Errors', numeric: true, cell: (row) => <ErrorShare rate={row.error_rate} /> },
      ]}
    />
  );
}

export function StatusGroupsTable({ groups, view }: TrafficTableProps) {
  const most = groups[0]?.requests ?? 0;
  const total = groups.reduce((sum, row) => sum + row.requests, 0);
  return (
    <RankedTable
      title="Status codes"
      testId="statuses-table"
      rows={groups}
      rowKey={(row) => row.group}
      weight={(row) => (most ? row.requests / most : 0)}
      empty="The answers your keys got will be counted here."
      columns={[
        {
          name: 'Status',
          cell: (row) => (
            <Link href={explorerPath(view, { status: row.group })} class="row-filter">
              <HttpStatus status={Number(row.group)} />
              <span class="dim">{STATUS_CODES[Number(row.group)] ?? ''}</span>
            </Link>
          ),
        },
        { name: 'Requests', numeric: true, cell: (row) => formatCount(row.requests) },
        { name: 'Share', numeric: true, cell: (row) => formatPercent(total ? row.requests / total : null) },
      ]}
    />
  );
}
