import { useState } from 'preact/hooks';
import { Link } from '../address/link.tsx';
import { keyPath } from '../address/route.ts';
import { useTitle } from '../address/use-title.ts';
import type { PageProps } from '../console/page-props.ts';
import type { TokenEntry } from '../http/contract/access.ts';
import { useResource } from '../http/use-resource.ts';
import { ConfirmButton } from '../panels/confirm-button.tsx';
import { TablePanel } from '../panels/data-table.tsx';
import { HostileText } from '../panels/hostile-text.tsx';
import { Part } from '../panels/part.tsx';
import { SecretOnce } from '../panels/secret-once.tsx';
import { formatDate } from '../time/label.ts';
import { Moment } from '../time/moment.tsx';
import { browserZone } from '../time/zone-names.ts';
import { NewToken } from './new-token.tsx';

/** Who may send, read and manage. */
export function TokensPage({ api, search }: PageProps) {
  useTitle('Tokens');
  const tokens = useResource('tokens', (signal) => api.get<{ data: TokenEntry[] }>('/v1/tokens', {}, signal));
  const [making, setMaking] = useState(new URLSearchParams(search).get('new') === '1');
  const [secret, setSecret] = useState('');
  const revoke = async (token: TokenEntry) => {
    await api.remove(`/v1/tokens/${encodeURIComponent(token.id)}`);
    tokens.retry();
  };
  return (
    <main class="page">
      <div class="page-title">
        <h1>Tokens</h1>
        <span class="title-actions">
          <button type="button" class="primary" onClick={() => setMaking(true)} data-testid="new-token">
            New token
          </button>
        </span>
      </div>
      <p class="page-lead">
        Gateways send with a token of the scope <code>ingest</code>, pages and scripts read with <code>read</code>. A
        token bound to an organization or to one key sees nothing else.
      </p>
      {secret && (
        <SecretOnce
          title="Your new token"
          secret={secret}
          hint="Put it where it is used, for example into your gateway's configuration."
          onDone={() => setSecret('')}
        />
      )}
      {making && (
        <NewToken
          api={api}
          onClose={() => setMaking(false)}
          onMade={(token) => {
            setMaking(false);
            setSecret(token);
            tokens.retry();
          }}
        />
      )}
      <Part of={tokens} what="The tokens">
        {({ data }) => <TokensTable tokens={data} onRevoke={revoke} />}
      </Part>
    </main>
  );
}

interface RevokeProps {
  token: TokenEntry;
  onRevoke: (token: TokenEntry) => Promise<void>;
}

function TokensTable({ tokens, onRevoke }: Pick<RevokeProps, 'onRevoke'> & { tokens: TokenEntry[] }) {
  const zone = browserZone();
  return (
    <TablePanel
      caption="Tokens"
      testId="tokens-table"
      rows={tokens}
      rowKey={(row) => row.id}
      empty="There is no token."
      columns={[
        {
          name: 'Token',
          cell: (row) => (
            <>
              <HostileText value={row.name} class="key-link" />
              <span class="sub mono wide-only">{row.id}</span>
            </>
          ),
        },
        { name: 'May', cell: (row) => row.scopes.join(', ') },
        { name: 'Bound to', cell: (row) => <Bound token={row} />, look: 'wide-only' },
        { name: 'Made', cell: (row) => formatDate(row.created_at, zone), look: 'wide-only' },
        {
          name: 'Ends',
          cell: (row) => (row.expires_at ? <Moment at={row.expires_at} /> : <span class="dim">never</span>),
        },
        {
          name: 'Revoke',
          silent: true,
          look: 'num',
          cell: (row) => <Revoke token={row} onRevoke={onRevoke} />,
        },
      ]}
    />
  );
}

function Revoke({ token, onRevoke }: RevokeProps) {
  return (
    <ConfirmButton
      text={
        <>
          Revoke<span class="sr-only"> {token.name.slice(0, 60)}</span>
        </>
      }
      look="quiet"
      title={`Revoke “${token.name.slice(0, 60)}”?`}
      action="Revoke"
      act={() => onRevoke(token)}
    >
      <p>Whatever uses it is refused within seconds. A revoked token cannot be brought back.</p>
    </ConfirmButton>
  );
}

function Bound({ token }: { token: TokenEntry }) {
  if (token.key_id) {
    return (
      <Link href={keyPath(token.key_id)}>
        <HostileText value={token.key_id} class="mono" />
      </Link>
    );
  }
  return token.organization_id ? (
    <HostileText value={token.organization_id} />
  ) : (
    <span class="dim">the whole platform</span>
  );
}
