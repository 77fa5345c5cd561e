import { useEffect, useState } from 'preact/hooks';
import { Link } from '../address/link.tsx';
import { go } from '../address/location.ts';
import { useTitle } from '../address/use-title.ts';
import type { PageProps } from '../console/page-props.ts';
import type { Channel } from '../http/contract.ts';
import { useAction } from '../http/use-action.ts';
import { useResource } from '../http/use-resource.ts';
import { Refusal } from '../panels/dialog.tsx';
import { HostileText } from '../panels/hostile-text.tsx';
import { ProblemPanel } from '../panels/problem-panel.tsx';
import { SecretOnce } from '../panels/secret-once.tsx';
import { ChannelActions } from './channel-actions.tsx';
import { ChannelForm } from './channel-form.tsx';
import { bodyOf, draftOf, NEW_CHANNEL } from './channel-words.ts';
import { ChannelState } from './channels-page.tsx';
import { RoutingForm } from './routing-form.tsx';

/** One channel: whom it reaches, what it hears, and a button that proves it. */
export function ChannelPage({ api, rights, id }: PageProps) {
  const fresh = id === 'new';
  const stored = useResource(`channel ${id}`, async (signal) =>
    fresh ? null : await api.get<Channel>(`/v1/channels/${encodeURIComponent(id)}`, {}, signal),
  );
  const [draft, setDraft] = useState(fresh ? NEW_CHANNEL : null);
  const [secret, setSecret] = useState('');
  useEffect(() => {
    if (stored.data) setDraft(draftOf(stored.data));
  }, [stored.data]);
  useTitle(draft?.name || 'Channel');
  const save = useAction(async () => {
    if (!draft) return;
    if (!fresh) {
      await api.put(`/v1/channels/${id}`, bodyOf(draft));
      return stored.retry();
    }
    const made = await api.post<Channel & { secret?: string }>('/v1/channels', bodyOf(draft));
    if (made.secret) setSecret(made.secret);
    go(`/channels/${made.channel_id}`, 'replace');
  });
  if (stored.problem) {
    return (
      <main class="page">
        <h1>Channel</h1>
        <ProblemPanel what="The channel" problem={stored.problem} onRetry={stored.retry} />
      </main>
    );
  }
  const trouble = stored.data?.disabled_reason || stored.data?.problem;
  return (
    <main class="page" aria-busy={!draft}>
      <p class="crumb">
        <Link href="/channels">Channels</Link>
      </p>
      <div class="page-title">
        <h1>{fresh ? 'New channel' : <HostileText value={stored.data?.name} empty="Channel" />}</h1>
        {stored.data && <ChannelState channel={stored.data} />}
        {stored.data && rights.manage && <ChannelActions api={api} channel={stored.data} onSecret={setSecret} />}
      </div>
      {secret && (
        <SecretOnce
          title="Signing secret"
          secret={secret}
          hint="The receiver checks with it that a message comes from here (Standard Webhooks)."
          onDone={() => setSecret('')}
        />
      )}
      {trouble && (
        <p class="panel notice" role="status">
          {stored.data?.enabled ? 'It cannot deliver at present: ' : 'Keytally switched it off: '}
          {trouble}
        </p>
      )}
      {draft && (
        <div class="pair editor">
          <ChannelForm
            {...{ draft, fresh }}
            stored={stored.data}
            problem={save.problem}
            editable={rights.manage}
            onDraft={setDraft}
            actions={
              <>
                <Refusal problem={save.problem} />
                <button
                  type="button"
                  class="primary"
                  data-testid="save"
                  disabled={save.busy}
                  onClick={() => save.run()}
                >
                  {save.busy ? 'Saving…' : fresh ? 'Make channel' : 'Save changes'}
                </button>
              </>
            }
          />
          {draft.purpose === 'alerts' && (
            <RoutingForm
              routing={draft.routing}
              type={draft.type}
              problem={save.problem}
              editable={rights.manage}
              onRouting={(routing) => setDraft({ ...draft, routing })}
            />
          )}
        </div>
      )}
    </main>
  );
}
