import type { Environment } from '../forms/environments.ts';
import { Check, SelectField, TextField } from '../forms/fields.tsx';
import { IdsField } from '../forms/ids-field.tsx';
import type { Severity } from '../http/contract/alerts.ts';
import type { ChannelType, Routing } from '../http/contract/channels.ts';
import type { ProblemError } from '../http/problem.ts';
import { SEVERITIES } from './alert-words.ts';
import { EnvironmentChecks, KindChecks } from './which-alerts.tsx';

interface RoutingFormProps {
  routing: Routing;
  type: ChannelType;
  problem: ProblemError | null;
  editable: boolean;
  onRouting: (routing: Routing) => void;
}

const FROM = [['', 'warning, and everything about the life of a key'], ...SEVERITIES] as const;
const QUIET = { from: '22:00', to: '07:00' };

/** Which alerts a channel hears, and when. Nothing ticked means everything. */
export function RoutingForm({ routing, type, problem, editable, onRouting }: RoutingFormProps) {
  const set = (change: Partial<Routing>) => onRouting({ ...routing, ...change });
  return (
    <section class="panel form" aria-label="What it hears">
      <fieldset class="form-fields" disabled={!editable}>
        <KindChecks kinds={routing.kinds ?? []} onKinds={(kinds) => set({ kinds })} />
        <SelectField
          label="From severity"
          name="min_severity"
          value={routing.min_severity ?? ''}
          options={FROM}
          problem={problem}
          onValue={(severity) => set({ min_severity: (severity || undefined) as Severity | undefined })}
        />
        <EnvironmentChecks
          environments={(routing.environments ?? []) as Environment[]}
          onEnvironments={(environments) => set({ environments })}
        />
        <div class="form-row">
          <IdsField
            label="Only organizations"
            name="routing"
            placeholder="all"
            problem={problem}
            ids={routing.organizations ?? []}
            onIds={(organizations) => set({ organizations })}
          />
          <IdsField
            label="Only keys"
            name="key_ids"
            placeholder="all"
            ids={routing.key_ids ?? []}
            onIds={(key_ids) => set({ key_ids })}
          />
        </div>
        {type === 'email' && (
          <Check
            label="The owner of the key gets it, too"
            checked={routing.to_owner ?? false}
            onChecked={(on) => set({ to_owner: on || undefined })}
          />
        )}
        <QuietHours routing={routing} onChange={set} />
      </fieldset>
    </section>
  );
}

interface QuietHoursProps {
  routing: Routing;
  onChange: (change: Partial<Routing>) => void;
}

function QuietHours({ routing, onChange }: QuietHoursProps) {
  const quiet = routing.quiet_hours;
  return (
    <>
      <Check
        label="Quiet hours: only critical alerts are told, the others afterwards"
        checked={quiet !== undefined}
        onChecked={(on) => onChange({ quiet_hours: on ? QUIET : undefined })}
      />
      {quiet && (
        <div class="form-row">
          <TextField
            label="From"
            name="quiet_from"
            value={quiet.from}
            onValue={(from) => onChange({ quiet_hours: { ...quiet, from } })}
          />
          <TextField
            label="To"
            name="quiet_to"
            value={quiet.to}
            onValue={(to) => onChange({ quiet_hours: { ...quiet, to } })}
          />
          <TextField
            label="Time zone"
            name="timezone"
            placeholder="UTC"
            value={routing.timezone ?? ''}
            onValue={(timezone) => onChange({ timezone: timezone || undefined })}
          />
        </div>
      )}
    </>
  );
}
