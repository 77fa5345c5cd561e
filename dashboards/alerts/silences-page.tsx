import { useState } from 'preact/hooks';
import { useAddressFields } from '../address/use-address-fields.ts';
import { useTitle } from '../address/use-title.ts';
import type { PageProps } from '../console/page-props.ts';
import type { Silence } from '../http/contract/alerts.ts';
import { useAction } from '../http/use-action.ts';
import { useResource } from '../http/use-resource.ts';
import { TablePanel } from '../panels/data-table.tsx';
import { Refusal } from '../panels/dialog.tsx';
import { HostileText } from '../panels/hostile-text.tsx';
import { LeavingButton } from '../panels/leaving-button.tsx';
import { Part } from '../panels/part.tsx';
import { Moment } from '../time/moment.tsx';
import { kindName } from './alert-words.ts';
import { AlertsFrame } from './alerts-frame.tsx';
import { NewSilence } from './new-silence.tsx';

/** What is not told for a while. */
export function SilencesPage({ api, search, rights }: PageProps) {
  useTitle('Silences');
  const [{ state, key_id }, set] = useAddressFields('/silences', search, ['state', 'key_id'] as const);
  const silences = useResource(`silences ${state}`, (signal) =>
    api.get<{ data: Silence[] }>('/v1/silences', { state: state || 'current' }, signal),
  );
  const [making, setMaking] = useState(key_id !== '');
  const end = useAction(async (silence: Silence) => {
    await api.remove(`/v1/silences/${silence.silence_id}`);
    silences.retry();
  });
  const close = () => {
    setMaking(false);
    set({ key_id: '' });
  };
  const make = (
    <button type="button" class="primary" onClick={() => setMaking(true)} data-testid="new-silence">
      New silence
    </button>
  );
  return (
    <AlertsFrame current="silences" rights={rights} action={rights.manage && make}>
      <p class="page-lead">
        A silence keeps messages back, not alerts: they still open and show in the inbox.{' '}
        <button type="button" class="quiet" onClick={() => set({ state: state === 'all' ? '' : 'all' })}>
          {state === 'all' ? 'Show current ones only' : 'Show past ones, too'}
        </button>
      </p>
      <Refusal problem={end.problem} />
      {making && (
        <NewSilence
          api={api}
          keyId={key_id}
          onClose={close}
          onMade={() => {
            close();
            silences.retry();
          }}
        />
      )}
      <Part of={silences} what="The silences">
        {({ data }) => <SilencesTable silences={data} canEnd={rights.manage} busy={end.busy} onEnd={end.run} />}
      </Part>
    </AlertsFrame>
  );
}

function matchersText({ kinds, key_ids, environments }: Silence['matchers']): string {
  const parts = [kinds?.map(kindName).join(', '), key_ids?.join(', '), environments?.join(', ')].filter(Boolean);
  return parts.join(' · ') || 'everything';
}

interface SilencesTableProps {
  silences: Silence[];
  canEnd: boolean;
  busy: boolean;
  onEnd: (silence: Silence) => void;
}

function SilencesTable({ silences, canEnd, busy, onEnd }: SilencesTableProps) {
  return (
    <TablePanel
      caption="Silences"
      testId="silences-table"
      rows={silences}
      rowKey={(row) => row.silence_id}
      empty="Nothing is silenced. During planned work a silence spares everyone the messages about it."
      columns={[
        { name: 'Silenced', cell: (row) => <HostileText value={matchersText(row.matchers)} /> },
        {
          name: 'Of',
          cell: (row) => <HostileText value={row.organization_id} empty="the platform" />,
          look: 'wide-only',
        },
        { name: 'Why', cell: (row) => <HostileText value={row.reason} /> },
        { name: 'From', cell: (row) => <Moment at={row.starts_at} />, look: 'wide-only' },
        { name: 'Until', cell: (row) => <Moment at={row.ends_at} /> },
        {
          name: 'End it',
          silent: true,
          look: 'num',
          cell: (row) =>
            canEnd &&
            Date.parse(row.ends_at) > Date.now() && (
              <LeavingButton look="quiet" busy={busy} onClick={() => onEnd(row)}>
                End now
              </LeavingButton>
            ),
        },
      ]}
    />
  );
}
