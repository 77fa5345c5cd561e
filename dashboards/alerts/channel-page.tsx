import { useEffect, useState } from 'preact/hooks';
import { go } from '../address/location.ts';
import { useTitle } from '../address/use-title.ts';
import { EditorFrame, Save } from '../console/editor-frame.tsx';
import type { PageProps } from '../console/page-props.ts';
import type { Channel } from '../http/contract/channels.ts';
import { type Action, useAction } from '../http/use-action.ts';
import { useResource } from '../http/use-resource.ts';
import { SecretOnce } from '../panels/secret-once.tsx';
import { ChannelActions } from './channel-actions.tsx';
import { ChannelForm } from './channel-form.tsx';
import { bodyOf, type ChannelDraft, draftOf, isChanged, NEW_CHANNEL } from './channel-words.ts';
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
  const changed = draft !== null && stored.data !== null && isChanged(draft, stored.data);
  return (
    <EditorFrame
      list={LIST}
      thing="channel"
      {...{ fresh }}
      name={stored.data?.name}
      problem={stored.problem}
      busy={!draft}
      onRetry={stored.retry}
      badge={stored.data && <ChannelState channel={stored.data} />}
      actions={
        stored.data &&
        rights.manage && <ChannelActions {...{ api, changed }} channel={stored.data} onSecret={setSecret} />
      }
    >
      {secret && <SigningSecret secret={secret} onDone={() => setSecret('')} />}
      {stored.data && <Trouble channel={stored.data} />}
      {draft && (
        <ChannelEditor {...{ draft, fresh, save }} stored={stored.data} editable={rights.manage} onDraft={setDraft} />
      )}
    </EditorFrame>
  );
}

const LIST = { href: '/channels', name: 'Channels' };

function SigningSecret({ secret, onDone }: { secret: string; onDone: () => void }) {
  return (
    <SecretOnce
      title="Signing secret"
      secret={secret}
      hint="The receiver checks with it that a message comes from here (Standard Webhooks)."
      onDone={onDone}
    />
  );
}

function Trouble({ channel }: { channel: Channel }) {
  const trouble = channel.disabled_reason || channel.problem;
  if (!trouble) return null;
  return (
    <p class="panel notice" role="status">
      {channel.enabled ? 'It cannot deliver at present: ' : 'Keytally switched it off: '}
      {trouble}
    </p>
  );
}

interface ChannelEditorProps {
  draft: ChannelDraft;
  stored: Channel | null;
  fresh: boolean;
  editable: boolean;
  save: Action<[]>;
  onDraft: (draft: ChannelDraft) => void;
}

function ChannelEditor({ draft, stored, fresh, editable, save, onDraft }: ChannelEditorProps) {
  const { problem } = save;
  return (
    <div class="pair editor">
      <ChannelForm
        {...{ draft, stored, fresh, problem, editable, onDraft }}
        actions={<Save save={save} text={fresh ? 'Make channel' : 'Save changes'} />}
      />
      {draft.purpose === 'alerts' && (
        <RoutingForm
          routing={draft.routing}
          type={draft.type}
          {...{ problem, editable }}
          onRouting={(routing) => onDraft({ ...draft, routing })}
        />
      )}
    </div>
  );
}
