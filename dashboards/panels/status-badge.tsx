import type { KeyStatus } from '../http/contract/keys.ts';

const MEANING: Record<KeyStatus, string> = {
  active: 'In use',
  inactive: 'Deactivated: requests with it should be refused',
  expired: 'Its expiry date has passed',
  discovered: 'Seen in traffic, but not registered yet',
  deleted: 'Removed from the registry; its history stays',
};

export function StatusBadge({ status, reason }: { status: KeyStatus; reason?: string }) {
  return (
    <span
      class={`badge badge-${status}`}
      title={reason ? `${MEANING[status]} (${reason.slice(0, 200)})` : MEANING[status]}
    >
      {status}
    </span>
  );
}
