import type { Store } from '../clickhouse/store.ts';

export interface AuditEntry {
  organizationId: string;
  /** Id of the token, or the name of the schedule that acted. */
  actor: string;
  action: string;
  /** What it was done to, e.g. a key id. */
  subject: string;
  reason: string;
  before: unknown;
  after: unknown;
}

/** Writes who did what and why; never updated, never deleted. */
export async function writeAudit(store: Store, entries: readonly AuditEntry[]): Promise<void> {
  const at = new Date().toISOString();
  await store.insertRows(
    'audit',
    entries.map((entry) => ({
      at,
      organization_id: entry.organizationId,
      actor: entry.actor,
      action: entry.action,
      subject: entry.subject,
      reason: entry.reason,
      before: JSON.stringify(entry.before ?? null),
      after: JSON.stringify(entry.after ?? null),
    })),
  );
}
