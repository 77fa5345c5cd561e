import type { ApiKey } from '../http/contract/keys.ts';
import { HostileText } from '../panels/hostile-text.tsx';
import { StatusBadge } from '../panels/status-badge.tsx';
import { formatDate, relativeTime } from '../time/label.ts';
import { DAY } from '../time/range.ts';

interface KeyHeadProps {
  keyId: string;
  apiKey: ApiKey | null;
  zone: string;
  now: number;
}

const EXPIRY_WARNING = 14 * DAY;

function Expiry({ at, zone, now }: { at: string; zone: string; now: number }) {
  const left = Date.parse(at) - now;
  const tone = left < EXPIRY_WARNING ? 'warn' : '';
  return (
    <span class={tone} title={formatDate(at, zone)}>
      {left < 0 ? 'expired' : 'expires'} {relativeTime(at, now)}
    </span>
  );
}

export function KeyHead({ keyId, apiKey, zone, now }: KeyHeadProps) {
  return (
    <header class="key-head">
      <h1>
        <HostileText value={apiKey?.name || keyId} />
      </h1>
      {apiKey && <StatusBadge status={apiKey.status} reason={apiKey.status_reason} />}
      <div class="key-facts">
        {apiKey?.name && <HostileText value={keyId} class="mono" />}
        {apiKey?.prefix && <HostileText value={`${apiKey.prefix}…`} class="mono" />}
        {apiKey?.environment && <HostileText value={apiKey.environment} />}
        {apiKey?.organization_id && <HostileText value={apiKey.organization_id} />}
        {apiKey?.customer_id && <HostileText value={apiKey.customer_id} />}
        {apiKey?.created_at && <span>created {formatDate(apiKey.created_at, zone)}</span>}
        {apiKey?.expires_at && <Expiry at={apiKey.expires_at} zone={zone} now={now} />}
      </div>
    </header>
  );
}
