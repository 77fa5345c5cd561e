import { Link } from '../address/link.tsx';
import { keyPath } from '../address/route.ts';
import { kindName } from '../alerts/alert-words.ts';
import { SeverityBadge, standingOf } from '../alerts/severity-badge.tsx';
import type { Alert } from '../http/contract/alerts.ts';
import type { Page } from '../http/contract/page.ts';
import { TablePanel } from '../panels/data-table.tsx';
import { HostileText } from '../panels/hostile-text.tsx';
import { relativeTime } from '../time/label.ts';
import { worstAlerts } from './worst-alerts.ts';

/** What needs somebody now; nothing at all is drawn when nothing does. */
export function FiringAlerts({ alerts, now }: { alerts: Page<Alert>; now: number }) {
  const { rows, note } = worstAlerts(alerts);
  return (
    <TablePanel
      title="Alerts"
      caption="Open alerts"
      note={note}
      actions={
        <Link href="/alerts" class="all-requests">
          All alerts
        </Link>
      }
      testId="firing-alerts"
      rows={rows}
      rowKey={(row) => row.alert_id}
      empty=""
      columns={[
        {
          name: 'Alert',
          look: 'wraps',
          cell: (row) => (
            <Link href={`/alerts/${row.alert_id}`} class="key-link">
              {row.summary || kindName(row.kind)}
            </Link>
          ),
        },
        { name: 'Severity', cell: (row) => <SeverityBadge severity={row.severity} /> },
        {
          name: 'Key',
          look: 'wide-only',
          cell: (row) =>
            row.key_id ? (
              <Link href={keyPath(row.key_id)}>
                <HostileText value={row.key_id} class="mono" />
              </Link>
            ) : (
              'all keys'
            ),
        },
        { name: 'Since', cell: (row) => relativeTime(row.opened_at, now), look: 'wide-only' },
        { name: 'State', cell: (row) => standingOf(row) },
      ]}
    />
  );
}
