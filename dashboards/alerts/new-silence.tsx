import { useState } from 'preact/hooks';
import type { Environment } from '../forms/environments.ts';
import { SelectField, TextField } from '../forms/fields.tsx';
import { IdsField } from '../forms/ids-field.tsx';
import type { ApiClient } from '../http/client.ts';
import type { AlertKind } from '../http/contract/alerts.ts';
import { useAction } from '../http/use-action.ts';
import { FormDialog } from '../panels/form-dialog.tsx';
import { HOUR } from '../time/range.ts';
import { EnvironmentChecks, KindChecks } from './which-alerts.tsx';

interface NewSilenceProps {
  api: ApiClient;
  /** Already filled in, when it is made from an alert. */
  keyId: string;
  onMade: () => void;
  onClose: () => void;
}

const LENGTHS = [
  ['1', 'for an hour'],
  ['4', 'for 4 hours'],
  ['24', 'for a day'],
  ['72', 'for 3 days'],
  ['168', 'for a week'],
] as const;

const someOf = <Value,>(values: Value[]) => (values.length > 0 ? values : undefined);

export function NewSilence({ api, keyId, onMade, onClose }: NewSilenceProps) {
  const [kinds, setKinds] = useState<AlertKind[]>([]);
  const [keys, setKeys] = useState(keyId ? [keyId] : []);
  const [environments, setEnvironments] = useState<Environment[]>([]);
  const [hours, setHours] = useState('4');
  const [reason, setReason] = useState('');
  const make = useAction(async () => {
    await api.post('/v1/silences', {
      matchers: { kinds: someOf(kinds), key_ids: someOf(keys), environments: someOf(environments) },
      ends_at: new Date(Date.now() + Number(hours) * HOUR).toISOString(),
      reason,
    });
    onMade();
  });
  const { problem } = make;
  return (
    <FormDialog title="New silence" testId="silence-form" action="Silence" working="Working…" {...{ make, onClose }}>
      <IdsField label="Keys" name="matchers" placeholder="all" ids={keys} problem={problem} onIds={setKeys} />
      <KindChecks kinds={kinds} onKinds={setKinds} />
      <EnvironmentChecks environments={environments} onEnvironments={setEnvironments} />
      <SelectField
        label="How long"
        name="ends_at"
        value={hours}
        options={LENGTHS}
        problem={problem}
        onValue={setHours}
      />
      <TextField
        label="Why"
        name="reason"
        placeholder="Planned work on the database"
        required
        value={reason}
        problem={problem}
        onValue={setReason}
      />
    </FormDialog>
  );
}
