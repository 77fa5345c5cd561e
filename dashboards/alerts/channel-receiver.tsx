import { SelectField, TextField } from '../forms/fields.tsx';
import { listText, namesOf, namesText } from '../forms/list-text.ts';
import { useTyped } from '../forms/use-typed.ts';
import type { Channel } from '../http/contract/channels.ts';
import type { ProblemError } from '../http/problem.ts';
import type { ChannelDraft } from './channel-words.ts';

interface ReceiverProps {
  draft: ChannelDraft;
  stored: Channel | null;
  fresh: boolean;
  problem: ProblemError | null;
  onChange: (change: Partial<ChannelDraft>) => void;
}

const REGIONS = [
  ['us', 'US'],
  ['eu', 'EU'],
] as const;

/** Where a channel of its type sends to. */
export function Receiver({ draft, stored, fresh, problem, onChange }: ReceiverProps) {
  const to = useTyped(listText(draft.to), namesText, (text) => onChange({ to: namesOf(text) }));
  const kept = fresh ? '' : 'stays as it is';
  const fields = { draft, problem, onChange };
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
        <WebhookAddress
          placeholder={kept ? `${kept}: ${stored?.settings.url_host ?? ''}` : 'https://example.com/keytally'}
          {...fields}
        />
      );
    case 'pagerduty':
      return <PagerDutyKey placeholder={kept || '32 letters and digits'} {...fields} />;
    default:
      return <ChatAddress placeholder={kept || 'https://…'} {...fields} />;
  }
}

interface AddressProps extends Pick<ReceiverProps, 'draft' | 'problem' | 'onChange'> {
  placeholder: string;
}

function WebhookAddress({ draft, problem, placeholder, onChange }: AddressProps) {
  return (
    <TextField
      label="Address"
      name="settings"
      type="url"
      placeholder={placeholder}
      hint="Messages are signed by Standard Webhooks. Private addresses are refused."
      value={draft.url}
      problem={problem}
      onValue={(url) => onChange({ url })}
    />
  );
}

function PagerDutyKey({ draft, problem, placeholder, onChange }: AddressProps) {
  return (
    <div class="form-row">
      <TextField
        label="Integration key"
        name="secrets"
        type="password"
        placeholder={placeholder}
        hint="Of an Events API v2 integration."
        value={draft.secret}
        problem={problem}
        onValue={(secret) => onChange({ secret })}
      />
      <SelectField
        label="Region"
        name="region"
        value={draft.region}
        options={REGIONS}
        onValue={(region) => onChange({ region })}
      />
    </div>
  );
}

function ChatAddress({ draft, problem, placeholder, onChange }: AddressProps) {
  return (
    <TextField
      label="Incoming webhook address"
      name="secrets"
      type="password"
      placeholder={placeholder}
      hint="As the chat gives it. It is stored sealed and never shown again."
      value={draft.secret}
      problem={problem}
      onValue={(secret) => onChange({ secret })}
    />
  );
}
