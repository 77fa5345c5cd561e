import type { Store } from '../../workers/clickhouse/store.ts';
import { type AuditRow, CONCERNS_ORGANIZATION } from '../../workers/keys/audit.ts';

/** Which entries are listed. '' = any. */
export interface AuditLogRequest {
  organizationId: string;
  /** An action, or the beginning of several: `key.`. */
  action: string;
  actor: string;
  subject: string;
  /** Part of a subject, an actor or a reason. */
  search: string;
  fromMs: number | undefined;
  toMs: number | undefined;
  limit: number;
  after: AuditLogCursor | undefined;
}

/** Position behind the last entry of a page: all that orders the list. */
export interface AuditLogCursor {
  atMs: number;
  subject: string;
  action: string;
  version: number;
}

export type AuditLogRow = AuditRow & { subject: string };

const ORDER = ['toUnixTimestamp64Milli(at)', 'subject', 'action', 'version'].join(', ');

/** What was done to anything, newest first; an entry that was written twice appears once. */
export async function readAuditLog(store: Store, request: AuditLogRequest): Promise<AuditLogRow[]> {
  const conditions: string[] = ['1'];
  const params: Record<string, unknown> = { limit: request.limit };
  const add = (wanted: boolean, sql: string, values: Record<string, unknown>) => {
    if (!wanted) return;
    conditions.push(sql);
    Object.assign(params, values);
  };
  const { organizationId, action, actor, subject, search, fromMs, toMs, after } = request;
  add(organizationId !== '', CONCERNS_ORGANIZATION, { organization_id: organizationId });
  add(action !== '', 'startsWith(action, {action:String})', { action });
  add(actor !== '', 'actor = {actor:String}', { actor });
  add(subject !== '', 'subject = {subject:String}', { subject });
  const text = ['subject', 'actor', 'reason'].map(
    (name) => `positionCaseInsensitiveUTF8(${name}, {search:String}) > 0`,
  );
  add(search !== '', `(${text.join(' OR ')})`, { search });
  add(fromMs !== undefined, 'toUnixTimestamp64Milli(at) >= {from_ms:Int64}', { from_ms: fromMs });
  add(toMs !== undefined, 'toUnixTimestamp64Milli(at) < {to_ms:Int64}', { to_ms: toMs });
  add(
    after !== undefined,
    `(${ORDER}) < ({after_ms:Int64}, {after_subject:String}, {after_action:String}, {after_version:UInt64})`,
    {
      after_ms: after?.atMs,
      after_subject: after?.subject,
      after_action: after?.action,
      after_version: after?.version,
    },
  );
  return store.query<AuditLogRow>(
    `SELECT id, at, toUnixTimestamp64Milli(at) AS at_ms, organization_id, subject, actor, action, reason, before, after,
            version, run_id
     FROM audit WHERE ${conditions.join(' AND ')}
     ORDER BY at DESC, subject DESC, action DESC, version DESC
     LIMIT 1 BY at, subject, action, id, version LIMIT {limit:UInt32}`,
    params,
  );
}
