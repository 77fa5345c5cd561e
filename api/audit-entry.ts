import { z } from 'zod';
import type { AuditRow } from '../workers/keys/audit.ts';

/** One thing that was done, as the history of a key and the audit log answer it. */
export const AuditEntryResponse = z.object({
  at: z.iso.datetime(),
  action: z.string(),
  actor: z.string().describe('id of the token, or the name of the schedule or policy'),
  reason: z.string(),
  before: z.record(z.string(), z.unknown()).nullable().describe('the changed fields as they were; null when new'),
  after: z.record(z.string(), z.unknown()).nullable(),
  version: z.number().int(),
  run_id: z.string().nullable(),
});

export function auditEntryOf(row: AuditRow): z.infer<typeof AuditEntryResponse> {
  const { at, action, actor, reason, version, run_id } = row;
  const [before, after] = [row.before, row.after].map(withoutHash);
  return { at, action, actor, reason, before: before!, after: after!, version, run_id: run_id === '' ? null : run_id };
}

/** Readers learn that the secret changed, not its hash. */
function withoutHash(json: string): Record<string, unknown> | null {
  const fields = JSON.parse(json) as Record<string, unknown> | null;
  return fields && typeof fields.sha256 === 'string' && fields.sha256 !== ''
    ? { ...fields, sha256: `${fields.sha256.slice(0, 8)}…` }
    : fields;
}
