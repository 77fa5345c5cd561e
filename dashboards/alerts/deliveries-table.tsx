import { Link } from '../address/link.tsx';
import { keyPath } from '../address/route.ts';
import { formatCount } from '../format/number.ts';
import type { Delivery } from '../http/contract/channels.ts';
import { TablePanel } from '../panels/data-table.tsx';
import { HostileText } from '../panels/hostile-text.tsx';
import { LeavingButton } from '../panels/leaving-button.tsx';
import { Moment } from '../time/moment.tsx';
import { kindName } from './alert-words.ts';

export const DELIVERY_STATES: [Delivery['status'], string][] = [
  ['sent', 'sent'],
  ['failed', 'failed'],
  ['waiting', 'waiting'],
  ['retrying', 'tried again'],
  ['held', 'held back'],
  ['digest', 'in the digest'],
  ['dropped', 'dropped'],
];
const WORDS = new Map<string, string>(DELIVERY_STATES);
const TONES: Partial<Record<Delivery['status'], string>> = { sent: 'good', failed: 'bad', retrying: 'warn' };

interface DeliveriesTableProps {
  deliveries: Delivery[];
  names: ReadonlyMap<string, string>;
  canReplay: boolean;
  busy: boolean;
  onReplay: (delivery: Delivery) => void;
}

export function DeliveriesTable({ deliveries, names, canReplay, busy, onReplay }: DeliveriesTableProps) {
  const again = ({ status, message_id }: Delivery) => (status === 'sent' || status === 'failed') && message_id !== '';
  return (
    <TablePanel
      caption="Deliveries"
      testId="deliveries-table"
      rows={deliveries}
      rowKey={(row) => row.delivery_id}
      empty="Nothing was sent yet. Every message about an alert is listed here with what became of it."
      columns={[
        {
          name: 'About',
          cell: (row) =>
            row.alert_id ? <Link href={`/alerts/${row.alert_id}`}>{kindName(row.kind)}</Link> : kindName(row.kind),
        },
        { name: 'Key', cell: (row) => <KeyOf delivery={row} /> },
        {
          name: 'Channel',
          cell: (row) => <HostileText value={names.get(row.channel_id) ?? row.channel_id} empty="none hears it" />,
        },
        { name: 'When', cell: (row) => <Moment at={row.created_at} /> },
        { name: 'State', cell: (row) => <State delivery={row} /> },
        { name: 'Tries', numeric: true, look: 'wide-only', cell: (row) => formatCount(row.attempts) },
        { name: 'Why', look: 'wide-only wraps', cell: (row) => <Why delivery={row} /> },
        {
          name: 'Send again',
          silent: true,
          look: 'num',
          cell: (row) =>
            canReplay &&
            again(row) && (
              <LeavingButton look="quiet" busy={busy} onClick={() => onReplay(row)}>
                Send again
              </LeavingButton>
            ),
        },
      ]}
    />
  );
}

interface CellProps {
  delivery: Delivery;
}

function KeyOf({ delivery: { key_id } }: CellProps) {
  if (!key_id) return '–';
  return (
    <Link href={keyPath(key_id)}>
      <HostileText value={key_id} class="mono" />
    </Link>
  );
}

function State({ delivery: { status, next_attempt_at } }: CellProps) {
  return (
    <>
      <span class={TONES[status] ?? ''}>{WORDS.get(status) ?? status}</span>
      {next_attempt_at && (
        <span class="dim">
          {' '}
          <Moment at={next_attempt_at} />
        </span>
      )}
    </>
  );
}

function Why({ delivery: { response_status, reason } }: CellProps) {
  return (
    <>
      {response_status > 0 && `${response_status} `}
      <HostileText value={reason} />
    </>
  );
}
