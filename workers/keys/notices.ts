import type { KeyEvent } from './events.ts';
import type { RegisteredKey } from './key.ts';
import { isPast } from './lifecycle.ts';

const DAY_MS = 86_400_000;
/** A reminder after the expiry that could not be sent for so long is no use any more. */
const STALE_AFTER_MS = 7 * DAY_MS;

/** What a notice is decided on. */
export type NoticeKey = Pick<
  RegisteredKey,
  | 'key_id'
  | 'organization_id'
  | 'name'
  | 'status'
  | 'expires_at'
  | 'created_at'
  | 'rotated_at'
  | 'successor_key_id'
  | 'owner_name'
  | 'owner_email'
> & {
  /** The key that follows has traffic: its owner has moved on. */
  successorInUse: boolean;
};

export interface NoticeSettings {
  /** Days before the expiry; 0 = from the start of its UTC day, negative = days after. */
  reminderDays: readonly number[];
  /** A secret older than this should be replaced; 0 = never. */
  rotationDays: number;
}

/** Epoch milliseconds at which the reminder of `days` becomes due. */
export function reminderAt(expiresAtMs: number, days: number): number {
  return days === 0 ? Math.floor(expiresAtMs / DAY_MS) * DAY_MS : expiresAtMs - days * DAY_MS;
}

/**
 * The one reminder that a key is due: of all whose time has come, the nearest to the expiry. The earlier ones were
 * sent, or nobody needs them any more after a downtime. Reminders from before the key was made are none.
 */
export function dueReminder(key: NoticeKey, reminderDays: readonly number[], nowMs: number): number | undefined {
  if (key.expires_at === null || key.successorInUse) return undefined;
  const expiresAtMs = Date.parse(key.expires_at);
  const after = key.status === 'expired' && isPast(key.expires_at, nowMs);
  const before = key.status === 'active' && !isPast(key.expires_at, nowMs);
  const come = reminderDays.filter((days) => {
    const at = reminderAt(expiresAtMs, days);
    if (at > nowMs || at < Date.parse(key.created_at)) return false;
    return days < 0 ? after && nowMs - at < STALE_AFTER_MS : before;
  });
  return come.length === 0 ? undefined : Math.min(...come);
}

/** Epoch milliseconds since when the secret is overdue for rotation; undefined when it is not. */
export function rotationDueSince(key: NoticeKey, rotationDays: number, nowMs: number): number | undefined {
  if (rotationDays === 0 || key.status !== 'active' || key.successorInUse) return undefined;
  const dueAt = Date.parse(key.rotated_at ?? key.created_at) + rotationDays * DAY_MS;
  return dueAt <= nowMs ? dueAt : undefined;
}

/** The notices that are due for a key. Their ids say what they are about, so each is sent once. */
export function dueNotices(key: NoticeKey, settings: NoticeSettings, nowMs: number): KeyEvent[] {
  const notices: KeyEvent[] = [];
  const base = { at: new Date(nowMs).toISOString(), key_id: key.key_id, organization_id: key.organization_id };
  const about = { name: key.name, owner: { name: key.owner_name, email: key.owner_email } };
  const days = dueReminder(key, settings.reminderDays, nowMs);
  if (days !== undefined) {
    const id = `${key.key_id}@expiring@${Date.parse(key.expires_at!)}@${days}`;
    const data = { ...about, reminder_days: days, expires_at: key.expires_at, successor_key_id: key.successor_key_id };
    notices.push({ ...base, id, type: days < 0 ? 'key.expired' : 'key.expiring', data });
  }
  const dueAt = rotationDueSince(key, settings.rotationDays, nowMs);
  if (dueAt !== undefined) {
    const since = key.rotated_at ?? key.created_at;
    const data = { ...about, secret_since: since, due_since: new Date(dueAt).toISOString() };
    notices.push({ ...base, id: `${key.key_id}@rotation_due@${Date.parse(since)}`, type: 'key.rotation_due', data });
  }
  return notices;
}
