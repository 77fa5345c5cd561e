import type { ComponentChildren } from 'preact';
import { Check, SelectField, TextField } from '../forms/fields.tsx';
import { FormPanel } from '../forms/form-panel.tsx';
import type { Channel, ChannelType } from '../http/contract/channels.ts';
import type { ProblemError } from '../http/problem.ts';
import { CHANNEL_TYPES, channelTypeName } from './alert-words.ts';
import { Receiver } from './channel-receiver.tsx';
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
      <Receiver {...props} onChange={set} />
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
