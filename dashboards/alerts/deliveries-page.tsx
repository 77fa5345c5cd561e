import { useMemo } from 'preact/hooks';
import { useAddressFields } from '../address/use-address-fields.ts';
import { useTitle } from '../address/use-title.ts';
import type { PageProps } from '../console/page-props.ts';
import { Choice, FilterBar } from '../forms/filter-bar.tsx';
import type { Channel, Delivery } from '../http/contract/channels.ts';
import { useAction } from '../http/use-action.ts';
import { usePages } from '../http/use-pages.ts';
import { useResource } from '../http/use-resource.ts';
import { Refusal } from '../panels/dialog.tsx';
import { MorePages } from '../panels/more-pages.tsx';
import { Pill } from '../panels/pill.tsx';
import { ProblemPanel } from '../panels/problem-panel.tsx';
import { AlertsFrame } from './alerts-frame.tsx';
import { DELIVERY_STATES, DeliveriesTable } from './deliveries-table.tsx';

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
        <Choice name="State" value={fields.status} options={DELIVERY_STATES} onChoose={(status) => set({ status })} />
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
