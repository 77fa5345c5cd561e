import { useState } from 'preact/hooks';
import { ENVIRONMENTS } from '../forms/environments.ts';
import { Checks, SelectField, TextField } from '../forms/fields.tsx';
import { IdsField } from '../forms/ids-field.tsx';
import type { ApiClient } from '../http/client.ts';
import type { AlertKind } from '../http/contract/alerts.ts';
import { useAction } from '../http/use-action.ts';
import { ActionButton } from '../panels/action-button.tsx';
import { Dialog, Refusal } from '../panels/dialog.tsx';
import { HOUR } from '../time/range.ts';
import { ALERT_KINDS } from './alert-words.ts';

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
type Environment = (typeof ENVIRONMENTS)[number][0];

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
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    void make.run();
  };
  return (
    <Dialog title="New silence" onClose={onClose} testId="silence-form">
      <form class="form-fields" onSubmit={submit}>
        <IdsField label="Keys" name="matchers" placeholder="all" ids={keys} problem={problem} onIds={setKeys} />
        <Checks
          legend="Kinds of alerts (none ticked: all)"
          look="checks-wide"
          options={ALERT_KINDS}
          chosen={kinds}
          onChosen={setKinds}
        />
        <Checks
          legend="Environments (none ticked: all)"
          look="checks-wide"
          options={ENVIRONMENTS}
          chosen={environments}
          onChosen={setEnvironments}
        />
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
        <Refusal problem={problem} />
        <div class="modal-actions">
          <button type="button" onClick={onClose}>
            Cancel
          </button>
          <ActionButton type="submit" look="primary" off={make.busy}>
            {make.busy ? 'Working…' : 'Silence'}
          </ActionButton>
        </div>
      </form>
    </Dialog>
  );
}
