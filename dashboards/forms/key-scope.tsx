import type { ProblemError } from '../http/problem.ts';
import { ENVIRONMENTS } from './environments.ts';
import { SelectField, TextField } from './fields.tsx';

const FIELDS = {
  organization_id: 'Organization',
  plan: 'Plan',
  key_id: 'Key',
} as const;
type ScopeField = keyof typeof FIELDS;

const ENVIRONMENT_CHOICES = [['', 'Any'], ...ENVIRONMENTS] as const;

interface KeyScopeProps<Name extends ScopeField> {
  fields: readonly Name[];
  draft: Record<Name | 'environment', string>;
  problem: ProblemError | null;
  onChange: (change: Partial<Record<ScopeField | 'environment', string>>) => void;
}

/** Which keys something is about; an empty field leaves none out. */
export function KeyScope<Name extends ScopeField>({ fields, draft, problem, onChange }: KeyScopeProps<Name>) {
  return (
    <div class="form-row">
      {fields.map((name) => (
        <TextField
          key={name}
          label={FIELDS[name]}
          name={name}
          placeholder="every"
          value={draft[name]}
          problem={problem}
          onValue={(value) => onChange({ [name]: value })}
        />
      ))}
      <SelectField
        label="Environment"
        name="environment"
        value={draft.environment}
        options={ENVIRONMENT_CHOICES}
        problem={problem}
        onValue={(environment) => onChange({ environment })}
      />
    </div>
  );
}
