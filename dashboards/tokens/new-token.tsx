import { useState } from 'preact/hooks';
import { Checks, SelectField, TextField } from '../forms/fields.tsx';
import type { ApiClient } from '../http/client.ts';
import type { ProblemError } from '../http/problem.ts';
import { useAction } from '../http/use-action.ts';
import { FormDialog } from '../panels/form-dialog.tsx';
import { DAY } from '../time/range.ts';

interface NewTokenProps {
  api: ApiClient;
  onMade: (token: string) => void;
  onClose: () => void;
}

const SCOPES = [
  ['ingest', 'Send records (gateways)'],
  ['read', 'Read usage, keys, alerts'],
  ['manage', 'Change keys, policies, alerts; includes read'],
  ['admin', 'Everything, tokens included'],
] as const;
type Scope = (typeof SCOPES)[number][0];

const LIVES = [
  ['', 'never'],
  ['1', 'in a day'],
  ['30', 'in 30 days'],
  ['90', 'in 90 days'],
  ['365', 'in a year'],
] as const;

export function NewToken({ api, onMade, onClose }: NewTokenProps) {
  const [name, setName] = useState('');
  const [scopes, setScopes] = useState<Scope[]>(['ingest']);
  const [organization, setOrganization] = useState('');
  const [keyId, setKeyId] = useState('');
  const [life, setLife] = useState('');
  const make = useAction(async () => {
    const expires_at = life ? new Date(Date.now() + Number(life) * DAY).toISOString() : undefined;
    const body = { name: name.trim(), scopes, organization_id: organization.trim(), key_id: keyId.trim(), expires_at };
    onMade((await api.post<{ token: string }>('/v1/tokens', body)).token);
  });
  const { problem } = make;
  return (
    <FormDialog
      title="New token"
      testId="new-token-form"
      action="Make token"
      working="Making…"
      incomplete={scopes.length === 0}
      {...{ make, onClose }}
    >
      <TextField
        label="Name"
        name="name"
        value={name}
        placeholder="Kong in Frankfurt"
        hint="So that you know later what would stop working."
        required
        problem={problem}
        onValue={setName}
      />
      <Checks legend="It may" options={SCOPES} chosen={scopes} onChosen={setScopes} />
      <BoundTo {...{ organization, keyId, problem }} onOrganization={setOrganization} onKeyId={setKeyId} />
      <SelectField label="Ends" name="expires_at" value={life} options={LIVES} problem={problem} onValue={setLife} />
    </FormDialog>
  );
}

interface BoundToProps {
  organization: string;
  keyId: string;
  problem: ProblemError | null;
  onOrganization: (id: string) => void;
  onKeyId: (id: string) => void;
}

/** Bound to one of these, it sees nothing else. */
function BoundTo({ organization, keyId, problem, onOrganization, onKeyId }: BoundToProps) {
  return (
    <div class="form-row">
      <TextField
        label="Only of organization"
        name="organization_id"
        value={organization}
        placeholder="any"
        problem={problem}
        onValue={onOrganization}
      />
      <TextField
        label="Only of key"
        name="key_id"
        value={keyId}
        placeholder="any"
        problem={problem}
        onValue={onKeyId}
      />
    </div>
  );
}
