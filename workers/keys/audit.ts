import type { Store } from '../clickhouse/store.ts';

/** What is written down; the dashboard has words for each. */
export const AUDIT_ACTIONS = [
  'key.registered',
  'key.updated',
  'key.deactivated',
  'key.reactivated',
  'key.expired',
  'key.deleted',
  'key.regenerated',
  'key.leaked',
  'policy.created',
  'policy.updated',
  'policy.deleted',
  'token.created',
  'token.rotated',
  'token.revoked',
  'plan.changed',
  'plan.deleted',
  'api_description.imported',
  'api_description.deleted',
  'alert_rule.created',
  'alert_rule.updated',
  'alert_rule.deleted',
  'alert_rule.applied',
  'alert.acknowledged',
  'silence.created',
  'silence.ended',
  'channel.created',
  'channel.updated',
  'channel.deleted',
  'channel.secret_rotated',
  'channel.disabled',
  'channel.unsubscribed',
  'delivery.replayed',
  'dead_letter.replayed',
  'dead_letter.dropped',
] as const;
export type AuditAction = (typeof AUDIT_ACTIONS)[number];

export interface AuditEntry {
  organizationId: string;
  /** Id of the token, or the name of the schedule that acted. */
  actor: string;
  action: AuditAction;
  /** What it was done to, e.g. a key id. */
  subject: string;
  reason: string;
  before: unknown;
  after: unknown;
  /** The same for every repeat of this entry; default: none, the entry is written once. */
  id?: string;
  /** Version of the key after the change. */
  version?: number;
  /** Policy run it belongs to. */
  runId?: string;
  /** RFC 3339; default: now. */
  at?: string;
}

/** Writes who did what and why; never updated, never deleted. */
export async function writeAudit(store: Store, entries: readonly AuditEntry[]): Promise<void> {
  const now = new Date().toISOString();
  await store.insertRows(
    'audit',
    entries.map((entry) => ({
      at: entry.at ?? now,
      organization_id: entry.organizationId,
      actor: entry.actor,
      action: entry.action,
      subject: entry.subject,
      reason: entry.reason,
      before: JSON.stringify(entry.before ?? null),
      after: JSON.stringify(entry.after ?? null),
      id: entry.id ?? '',
      version: entry.version ?? 0,
      run_id: entry.runId ?? '',
    })),
  );
}

export interface AuditRow {
  id: string;
  at: string;
  at_ms: number;
  /** Whose the subject is since this was done. */
  organization_id: string;
  actor: string;
  action: string;
  reason: string;
  before: string;
  after: string;
  version: number;
  run_id: string;
}

/** Entries of an organization's own subjects, and those by which one left it. '' = all. */
export const CONCERNS_ORGANIZATION = `({organization_id:String} = '' OR organization_id = {organization_id:String}
         OR JSONExtractString(before, 'organization_id') = {organization_id:String})`;

/** Position behind the last entry of a page. */
export interface AuditCursor {
  atMs: number;
  version: number;
}

/**
 * What was done to a key, newest first; an entry that was written twice appears once.
 * @param organizationId only what was done while the key belonged to it, or took it away; '' = everything
 */
export async function readAudit(
  store: Store,
  subject: string,
  organizationId: string,
  after: AuditCursor | undefined,
  limit: number,
): Promise<AuditRow[]> {
  const older = after ? 'AND (toUnixTimestamp64Milli(at), version) < ({after_ms:Int64}, {after_version:UInt64})' : '';
  return store.query<AuditRow>(
    `SELECT id, at, toUnixTimestamp64Milli(at) AS at_ms, organization_id, actor, action, reason, before, after, version, run_id
     FROM audit WHERE subject = {subject:String} AND startsWith(action, 'key.')
       AND ${CONCERNS_ORGANIZATION} ${older}
     ORDER BY at DESC, version DESC LIMIT 1 BY at, action, id, version LIMIT {limit:UInt32}`,
    { subject, organization_id: organizationId, limit, after_ms: after?.atMs ?? 0, after_version: after?.version ?? 0 },
  );
}
