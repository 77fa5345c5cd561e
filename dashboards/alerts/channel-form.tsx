import type { ComponentChildren } from 'preact';
import { Check, SelectField, TextField } from '../forms/fields.tsx';
import { FormPanel } from '../forms/form-panel.tsx';
import { listText, namesOf, namesText } from '../forms/list-text.ts';
import { useTyped } from '../forms/use-typed.ts';
import type { Channel, ChannelType } from '../http/contract/channels.ts';
import type { ProblemError } from '../http/problem.ts';
import { CHANNEL_TYPES, channelTypeName } from './alert-words.ts';
import type { ChannelDraft } from './channel-words.ts';

interface ChannelFormProps {
  draft: ChannelDraft;
  stored: Channel | null;
  fresh: boolean;
  problem: ProblemError | null;
  editable: boolean;
  onDraft: (draft: ChannelDraft) => void;
  actions: ComponentChildren;
}

const PURPOSES = [
  ['alerts', 'Alerts'],
  ['key_events', 'Every change of a key, for the platform that owns them'],
] as const;

export function ChannelForm(props: ChannelFormProps) {
  const { draft, fresh, problem, editable, onDraft, actions } = props;
  const set = (change: Partial<ChannelDraft>) => onDraft({ ...draft, ...change });
  return (
    <FormPanel label="Receiver" {...{ editable, actions }}>
      <TextField
        label="Name"
        name="name"
        placeholder="On-call team"
        value={draft.name}
        problem={problem}
        onValue={(name) => set({ name })}
      />
      {fresh ? (
        <SelectField
          label="Type"
          name="type"
          value={draft.type}
          options={CHANNEL_TYPES}
          problem={problem}
          onValue={(type) => set({ type: type as ChannelType, purpose: 'alerts', url: '', secret: '' })}
        />
      ) : (
        <p class="dim">{channelTypeName(draft.type)}; the type of a channel cannot be changed.</p>
      )}
      <Receiver {...props} set={set} />
      {draft.type === 'webhook' && (
        <SelectField
          label="It is told"
          name="purpose"
          value={draft.purpose}
          options={PURPOSES}
          problem={problem}
          onValue={(purpose) => set({ purpose: purpose as ChannelDraft['purpose'] })}
        />
      )}
      <TextField
        label="Of organization"
        name="organization_id"
        placeholder="the platform: hears of all"
        value={draft.organization_id}
        problem={problem}
        onValue={(organization_id) => set({ organization_id })}
      />
      <Check label="Switched on" checked={draft.enabled} onChecked={(enabled) => set({ enabled })} />
    </FormPanel>
  );
}

interface ReceiverProps extends ChannelFormProps {
  set: (change: Partial<ChannelDraft>) => void;
}

function Receiver({ draft, stored, fresh, problem, set }: ReceiverProps) {
  const to = useTyped(listText(draft.to), namesText, (text) => set({ to: namesOf(text) }));
  const kept = fresh ? '' : 'stays as it is';
  switch (draft.type) {
    case 'email':
      return (
        <TextField
          label="Addresses"
          name="settings"
          placeholder="team@example.com, oncall@example.com"
          hint="Each gets a mail of its own."
          problem={problem}
          {...to}
        />
      );
    case 'webhook':
      return (
        <TextField
          label="Address"
          name="settings"
          type="url"
          placeholder={kept ? `${kept}: ${stored?.settings.url_host ?? ''}` : 'https://example.com/keytally'}
          hint="Messages are signed by Standard Webhooks. Private addresses are refused."
          value={draft.url}
          problem={problem}
          onValue={(url) => set({ url })}
        />
      );
    case 'pagerduty':
      return (
        <div class="form-row">
          <TextField
            label="Integration key"
            name="secrets"
            type="password"
            placeholder={kept || '32 letters and digits'}
            hint="Of an Events API v2 integration."
            value={draft.secret}
            problem={problem}
            onValue={(secret) => set({ secret })}
          />
          <SelectField
            label="Region"
            name="region"
            value={draft.region}
            options={[
              ['us', 'US'],
              ['eu', 'EU'],
            ]}
            onValue={(region) => set({ region })}
          />
        </div>
      );
    default:
      return (
        <TextField
          label="Incoming webhook address"
          name="secrets"
          type="password"
          placeholder={kept || 'https://…'}
          hint="As the chat gives it. It is stored sealed and never shown again."
          value={draft.secret}
          problem={problem}
          onValue={(secret) => set({ secret })}
        />
      );
  }
}
