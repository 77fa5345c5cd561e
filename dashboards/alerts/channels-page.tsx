import { Link } from '../address/link.tsx';
import { useTitle } from '../address/use-title.ts';
import type { PageProps } from '../console/page-props.ts';
import type { Channel } from '../http/contract/channels.ts';
import { useResource } from '../http/use-resource.ts';
import { TablePanel } from '../panels/data-table.tsx';
import { HostileText } from '../panels/hostile-text.tsx';
import { OnOff } from '../panels/on-off.tsx';
import { Part } from '../panels/part.tsx';
import { channelTypeName } from './alert-words.ts';
import { AlertsFrame } from './alerts-frame.tsx';
import { hearsOf, receiverOf } from './channel-words.ts';

/** Where alerts are sent. */
export function ChannelsPage({ api, rights }: PageProps) {
  useTitle('Channels');
  const channels = useResource('channels', (signal) => api.get<{ data: Channel[] }>('/v1/channels', {}, signal));
  const make = (
    <Link href="/channels/new" class="button primary">
      New channel
    </Link>
  );
  return (
    <AlertsFrame current="channels" rights={rights} action={rights.manage && make}>
      <Part of={channels} what="The channels">
        {({ data }) => (
          <TablePanel
            caption="Channels"
            testId="channels-table"
            rows={data}
            rowKey={(row) => row.channel_id}
            empty={
              <>
                <p>Alerts open and show here, but nobody is told: there is no channel yet.</p>
                {rights.manage && <p>{make}</p>}
              </>
            }
            columns={[
              {
                name: 'Channel',
                cell: (row) => (
                  <Link href={`/channels/${row.channel_id}`} class="key-link">
                    <HostileText value={row.name} />
                  </Link>
                ),
              },
              { name: 'State', cell: (row) => <ChannelState channel={row} /> },
              { name: 'Type', cell: (row) => channelTypeName(row.type) },
              { name: 'To', cell: (row) => <HostileText value={receiverOf(row)} />, look: 'wide-only' },
              { name: 'Hears of', cell: (row) => hearsOf(row), look: 'wide-only wraps' },
            ]}
          />
        )}
      </Part>
    </AlertsFrame>
  );
}

export function ChannelState({ channel }: { channel: Channel }) {
  const trouble = channel.disabled_reason || channel.problem;
  if (!trouble) return <OnOff on={channel.enabled} />;
  return (
    <span class={channel.enabled ? 'badge badge-expired' : 'badge badge-inactive'} title={trouble.slice(0, 300)}>
      {channel.enabled ? 'in trouble' : 'switched off'}
    </span>
  );
}
