import { z } from 'zod';
import type { AuditRow } from '../workers/keys/audit.ts';

/** One thing that was done, as the history of a key and the audit log answer it. */
export const AuditEntryResponse = z.object({
  at: z.iso.datetime(),
  action: z.string(),
  actor: z.string().describe('id of the token, or the name of the schedule or policy'),
  reason: z.string(),
  before: z
    .record(z.string(), z.unknown())
    .nullable()
    .describe('the changed fields as they were; null when new, or when they were another organization’s'),
  after: z
    .record(z.string(), z.unknown())
    .nullable()
    .describe('as they are since; null when deleted, or when they are another organization’s'),
  version: z.number().int(),
  run_id: z.string().nullable(),
});

/**
 * What was moved from one organization to another shows each only its own side.
 * @param organizationId organization that the reader's token is bound to; '' = reads everything
 */
export function auditEntryOf(row: AuditRow, organizationId: string): z.infer<typeof AuditEntryResponse> {
  const { at, action, actor, reason, version, run_id } = row;
  const [before, after] = [withoutHash(row.before), withoutHash(row.after)];
  const mayRead = (owner: unknown) => organizationId === '' || owner === organizationId;
  return {
    at,
    action,
    actor,
    reason,
    before: mayRead(before?.organization_id ?? row.organization_id) ? before : null,
    after: mayRead(row.organization_id) ? after : null,
    version,
    run_id: run_id === '' ? null : run_id,
  };
}

/** Readers learn that the secret changed, not its hash. */
function withoutHash(json: string): Record<string, unknown> | null {
  const fields = JSON.parse(json) as Record<string, unknown> | null;
  return fields && typeof fields.sha256 === 'string' && fields.sha256 !== ''
    ? { ...fields, sha256: `${fields.sha256.slice(0, 8)}…` }
    : fields;
}
