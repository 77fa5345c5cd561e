import { Link } from '../address/link.tsx';
import { formatCount, formatPercent } from '../format/number.ts';
import type { Alert, Contribution } from '../http/contract/alerts.ts';
import { countryName } from '../map/country-name.ts';
import { TablePanel } from '../panels/data-table.tsx';
import { HostileText } from '../panels/hostile-text.tsx';
import { type RequestFilter, requestsPath } from '../requests/requests-view.ts';
import type { Span } from '../time/range.ts';
import { browserZone } from '../time/zone-names.ts';

interface ContributionsProps {
  alert: Alert;
  span: Span;
}

/** "GET /v2/orders" or just a route, as the explorer filters it. */
function filterOf({ dimension, value }: Contribution): RequestFilter {
  if (dimension === 'country') return { country: value };
  if (dimension === 'status') return { status: value };
  const [, method, route] = /^([A-Z]+) (.+)$/.exec(value) ?? [];
  return method && route ? { method, route } : { route: value };
}

/** What explains it most: each row leads to exactly these requests. */
export function ContributionsTable({ alert, span }: ContributionsProps) {
  const link = (row: Contribution) =>
    requestsPath({
      range: span,
      zone: browserZone(),
      live: false,
      filter: { ...filterOf(row), ...(alert.key_id && { key_id: alert.key_id }) },
    });
  return (
    <TablePanel
      title="What explains it most"
      caption="What explains it most"
      testId="contributions"
      rows={alert.evidence.contributions ?? []}
      rowKey={(row) => `${row.dimension} ${row.value}`}
      empty="For this kind of alert no endpoint, country or status explains more than the others."
      columns={[
        {
          name: 'Among the requests',
          cell: (row) => (
            <Link href={link(row)} class="row-filter">
              <HostileText value={row.dimension === 'country' ? countryName(row.value) : row.value} />
              <span class="dim">{row.dimension}</span>
            </Link>
          ),
        },
        { name: 'Requests', numeric: true, cell: (row) => formatCount(row.requests) },
        { name: 'Share', numeric: true, cell: (row) => formatPercent(row.share) },
        {
          name: 'Usually',
          numeric: true,
          cell: (row) => (row.usualShare === null ? 'not known' : formatPercent(row.usualShare)),
        },
      ]}
    />
  );
}
