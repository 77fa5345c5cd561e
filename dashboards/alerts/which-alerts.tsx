import { ENVIRONMENTS, type Environment } from '../forms/environments.ts';
import { Checks } from '../forms/fields.tsx';
import type { AlertKind } from '../http/contract/alerts.ts';
import { ALERT_KINDS } from './alert-words.ts';

interface KindChecksProps {
  kinds: readonly AlertKind[];
  onKinds: (kinds: AlertKind[]) => void;
}

export function KindChecks({ kinds, onKinds }: KindChecksProps) {
  return (
    <Checks
      legend="Kinds of alerts (none ticked: all)"
      look="checks-wide"
      options={ALERT_KINDS}
      chosen={kinds}
      onChosen={onKinds}
    />
  );
}

interface EnvironmentChecksProps {
  environments: readonly Environment[];
  onEnvironments: (environments: Environment[]) => void;
}

export function EnvironmentChecks({ environments, onEnvironments }: EnvironmentChecksProps) {
  return (
    <Checks
      legend="Environments (none ticked: all)"
      look="checks-wide"
      options={ENVIRONMENTS}
      chosen={environments}
      onChosen={onEnvironments}
    />
  );
}
