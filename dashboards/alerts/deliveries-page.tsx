import { useMemo } from 'preact/hooks';
import { Link } from '../address/link.tsx';
import { keyPath } from '../address/route.ts';
import { useAddressFields } from '../address/use-address-fields.ts';
import { useTitle } from '../address/use-title.ts';
import type { PageProps } from '../console/page-props.ts';
import { formatCount } from '../format/number.ts';
import { Choice, FilterBar } from '../forms/filter-bar.tsx';
import type { Channel, Delivery } from '../http/contract/channels.ts';
import { useAction } from '../http/use-action.ts';
import { usePages } from '../http/use-pages.ts';
import { useResource } from '../http/use-resource.ts';
import { TablePanel } from '../panels/data-table.tsx';
import { Refusal } from '../panels/dialog.tsx';
import { HostileText } from '../panels/hostile-text.tsx';
import { LeavingButton } from '../panels/leaving-button.tsx';
import { MorePages } from '../panels/more-pages.tsx';
import { Pill } from '../panels/pill.tsx';
import { ProblemPanel } from '../panels/problem-panel.tsx';
import { Moment } from '../time/moment.tsx';
import { kindName } from './alert-words.ts';
import { AlertsFrame } from './alerts-frame.tsx';

const STATUSES: [Delivery['status'], string][] = [
  ['sent', 'sent'],
  ['failed', 'failed'],
  ['waiting', 'waiting'],
  ['retrying', 'tried again'],
  ['held', 'held back'],
  ['digest', 'in the digest'],
  ['dropped', 'dropped'],
];
const WORDS = new Map<string, string>(STATUSES);
const TONES: Partial<Record<Delivery['status'], string>> = { sent: 'good', failed: 'bad', retrying: 'warn' };

/** What was told to whom, and what became of it. */
export function DeliveriesPage({ api, search, rights }: PageProps) {
  useTitle('Deliveries');
  const [fields, set] = useAddressFields('/deliveries', search, ['status', 'channel_id', 'key_id'] as const);
  const pages = usePages<Delivery>(api, '/v1/deliveries', fields, 100, {
    idOf: ({ delivery_id }) => delivery_id,
  });
  const channels = useResource('channels', (signal) => api.get<{ data: Channel[] }>('/v1/channels', {}, signal));
  const names = useMemo(
    () => new Map(channels.data?.data.map((channel) => [channel.channel_id, channel.name])),
    [channels.data],
  );
  const replay = useAction(async (delivery: Delivery) => {
    await api.post(`/v1/deliveries/${delivery.delivery_id}/replay`);
    pages.first.retry();
  });
  const { first, items } = pages;
  return (
    <AlertsFrame current="deliveries" rights={rights} busy={first.loading && !first.data}>
      <FilterBar>
        <Choice name="State" value={fields.status} options={STATUSES} onChoose={(status) => set({ status })} />
        <Choice
          name="Channel"
          value={fields.channel_id}
          options={[...names]}
          onChoose={(channel_id) => set({ channel_id })}
        />
        {fields.key_id && <Pill name="key" value={fields.key_id} onRemove={() => set({ key_id: '' })} />}
      </FilterBar>
      <Refusal problem={replay.problem} />
      {first.problem && <ProblemPanel what="The deliveries" problem={first.problem} onRetry={first.retry} />}
      {first.data && (
        <DeliveriesTable
          deliveries={items}
          names={names}
          canReplay={rights.manage}
          busy={replay.busy}
          onReplay={replay.run}
        />
      )}
      <MorePages pages={pages} what="older deliveries" />
    </AlertsFrame>
  );
}

interface DeliveriesTableProps {
  deliveries: Delivery[];
  names: ReadonlyMap<string, string>;
  canReplay: boolean;
  busy: boolean;
  onReplay: (delivery: Delivery) => void;
}

function DeliveriesTable({ deliveries, names, canReplay, busy, onReplay }: DeliveriesTableProps) {
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
        {
          name: 'Key',
          cell: (row) =>
            row.key_id ? (
              <Link href={keyPath(row.key_id)}>
                <HostileText value={row.key_id} class="mono" />
              </Link>
            ) : (
              '–'
            ),
        },
        {
          name: 'Channel',
          cell: (row) => <HostileText value={names.get(row.channel_id) ?? row.channel_id} empty="none hears it" />,
        },
        { name: 'When', cell: (row) => <Moment at={row.created_at} /> },
        {
          name: 'State',
          cell: (row) => (
            <>
              <span class={TONES[row.status] ?? ''}>{WORDS.get(row.status) ?? row.status}</span>
              {row.next_attempt_at && (
                <span class="dim">
                  {' '}
                  <Moment at={row.next_attempt_at} />
                </span>
              )}
            </>
          ),
        },
        { name: 'Tries', numeric: true, look: 'wide-only', cell: (row) => formatCount(row.attempts) },
        {
          name: 'Why',
          look: 'wide-only wraps',
          cell: (row) => (
            <>
              {row.response_status > 0 && `${row.response_status} `}
              <HostileText value={row.reason} />
            </>
          ),
        },
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
