import type { AuditAction, AuditEntry } from './audit.ts';
import type { KeyEvent, KeyEventType } from './events.ts';
import type { RegisteredKey } from './key.ts';

/** One change of a key: what is to be stored, and who does it and why. */
export interface Change {
  fields: Partial<RegisteredKey>;
  action: AuditAction;
  /** Id of the token, or the name of the schedule or policy that acts. */
  actor: string;
  reason: string;
  /** Policy run this belongs to. */
  runId?: string;
}

/** Fields that describe the change itself; they are no part of what was changed. */
const BOOKKEEPING: ReadonlySet<string> = new Set([
  'version',
  'updated_at',
  'registered_at',
  'status_changed_at',
  'change_action',
  'change_actor',
  'change_reason',
  'change_before',
  'run_id',
]);

/** Row of the next version of a key. It carries its own reason: see {@link auditOf}. */
export function nextVersion(
  before: RegisteredKey | undefined,
  base: RegisteredKey,
  change: Change,
  now: string,
): RegisteredKey {
  const after: RegisteredKey = {
    ...base,
    deleted: false,
    ...change.fields,
    key_id: base.key_id,
    version: base.version + 1,
    updated_at: now,
    change_action: change.action,
    change_actor: change.actor,
    change_reason: change.reason,
    run_id: change.runId ?? '',
  };
  if (after.status !== base.status || after.deleted !== base.deleted) after.status_changed_at = now;
  // What leaked and grew old was the old secret, whichever way the new one came.
  if (base.sha256 !== '' && after.sha256 !== '' && after.sha256 !== base.sha256) {
    after.leaked_at = null;
    after.rotated_at = change.fields.rotated_at ?? now;
  }
  after.change_before = JSON.stringify(before ? changedFields(before, after) : null);
  return after;
}

/** The fields of `one` whose value in `other` differs. */
function changedFields(one: RegisteredKey, other: RegisteredKey): Partial<RegisteredKey> {
  return Object.fromEntries(
    Object.entries(one).filter(
      ([name, value]) =>
        !BOOKKEEPING.has(name) && JSON.stringify(value) !== JSON.stringify(other[name as keyof RegisteredKey]),
    ),
  );
}

/** Audit row of a key's newest version: made from the row alone, so that it can be made again after a crash. */
export function auditOf(row: RegisteredKey): AuditEntry {
  const before = JSON.parse(row.change_before) as Partial<RegisteredKey> | null;
  const names = before
    ? Object.keys(before)
    : Object.entries(row)
        .filter(([name, value]) => !BOOKKEEPING.has(name) && !isEmpty(value))
        .map(([name]) => name);
  return {
    id: changeId(row),
    version: row.version,
    runId: row.run_id,
    at: row.updated_at,
    organizationId: row.organization_id,
    actor: row.change_actor,
    action: row.change_action as AuditAction,
    subject: row.key_id,
    reason: row.change_reason,
    before,
    after: Object.fromEntries(names.map((name) => [name, row[name as keyof RegisteredKey]])),
  };
}

/** A new key's audit row says what was given, not the two dozen fields that were not. */
function isEmpty(value: unknown): boolean {
  return value === '' || value === null || value === false || (Array.isArray(value) && value.length === 0);
}

const EVENT_OF_ACTION: Readonly<Record<string, KeyEventType>> = {
  'key.deactivated': 'key.deactivated',
  'key.expired': 'key.expired',
  'key.reactivated': 'key.reactivated',
  'key.deleted': 'key.deleted',
  'key.leaked': 'key.leaked',
};

/** Actions of which somebody may need to be told, see {@link eventOf}. */
export const TOLD_ACTIONS = Object.keys(EVENT_OF_ACTION);

/** Event of a key's newest version; undefined when nobody needs to be told of this kind of change. */
export function eventOf(row: RegisteredKey): KeyEvent | undefined {
  const type = EVENT_OF_ACTION[row.change_action];
  if (!type) return undefined;
  return {
    id: changeId(row),
    at: row.updated_at,
    key_id: row.key_id,
    organization_id: row.organization_id,
    type,
    data: {
      name: row.name,
      status: row.status,
      reason: row.change_reason,
      actor: row.change_actor,
      expires_at: row.expires_at,
      run_id: row.run_id === '' ? null : row.run_id,
      version: row.version,
    },
  };
}

/** Id of the change that made this version; the same however often it is written. */
export function changeId(row: Pick<RegisteredKey, 'key_id' | 'version'>): string {
  return `${row.key_id}@${row.version}`;
}
