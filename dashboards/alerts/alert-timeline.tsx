import { Link } from '../address/link.tsx';
import type { AlertDetails, AlertStep } from '../http/contract/alerts.ts';
import { HostileText } from '../panels/hostile-text.tsx';
import { formatShortInstant } from '../time/label.ts';
import { SeverityBadge } from './severity-badge.tsx';

const TRANSITIONS: Record<string, string> = {
  opened: 'Opened',
  severity_raised: 'Grew worse',
  recovering: 'Began to recover',
  resolved: 'Over',
  acknowledged: 'Acknowledged',
};

interface AlertTimelineProps {
  alert: AlertDetails;
  zone: string;
  /** For those who may see what was sent. */
  withDeliveries: boolean;
}

/** Every step people can see, oldest first. */
export function AlertTimeline({ alert, zone, withDeliveries }: AlertTimelineProps) {
  const steps = alert.events.filter((step) => step.transition !== '' || step.notify !== '');
  return (
    <section class="panel" aria-label="History" data-testid="alert-history">
      <div class="panel-head">
        <h2>History</h2>
        <p class="panel-note">Times in {zone}</p>
        {withDeliveries && (
          <Link
            href={alert.key_id ? `/deliveries?key_id=${encodeURIComponent(alert.key_id)}` : '/deliveries'}
            class="all-requests"
          >
            What was sent
          </Link>
        )}
      </div>
      <ol class="timeline">
        {steps.map((step) => (
          <li key={step.event_id}>
            <time dateTime={step.at}>{formatShortInstant(step.at, zone)}</time>
            <Step step={step} />
          </li>
        ))}
      </ol>
    </section>
  );
}

function Step({ step }: { step: AlertStep }) {
  return (
    <span>
      {TRANSITIONS[step.transition] ?? 'Told again'} <SeverityBadge severity={step.severity} />
      {step.actor && (
        <>
          {' '}
          by <HostileText value={step.actor} class="mono" />
        </>
      )}
      {step.withheld && <span class="dim"> (nobody was told: {step.withheld})</span>}
      {step.evidence.summary && <span class="dim"> {step.evidence.summary}</span>}
    </span>
  );
}
