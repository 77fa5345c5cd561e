import { z } from 'zod';
import { AuditEntryResponse, auditEntryOf } from '../audit-entry.ts';
import { decodeCursor, encodeCursor } from '../cursor.ts';
import { type AuditLogCursor, readAuditLog } from '../queries/audit-log.ts';
import { route } from '../route.ts';
import { LimitQuery, time_ms } from '../schemas.ts';

const text = (max: number) => z.string().max(max).default('');

function isCursor(value: unknown): value is AuditLogCursor {
  const cursor = value as AuditLogCursor | null;
  const words = typeof cursor?.subject === 'string' && typeof cursor.action === 'string';
  return words && Number.isSafeInteger(cursor.atMs) && Number.isSafeInteger(cursor.version) && cursor.version >= 0;
}

export const getAudit = route({
  method: 'get',
  path: '/v1/audit',
  scope: 'read',
  reach: 'organization',
  summary: 'What was done to keys, policies, tokens and the rest, newest first: who, what, why, before and after',
  query: z.object({
    action: text(100).describe('an action, or the beginning of several: key.deactivated, or token.'),
    actor: text(200).describe('id of a token, or the name of the schedule or policy'),
    subject: text(200).describe('what it was done to, e.g. a key id'),
    search: text(200).describe('part of a subject, an actor or a reason'),
    from: time_ms.optional(),
    to: time_ms.optional(),
    limit: LimitQuery(50, 500),
    cursor: z.string().max(2_000).optional(),
  }),
  response: z.object({
    data: z.array(AuditEntryResponse.extend({ subject: z.string(), organization_id: z.string().nullable() })),
    next_cursor: z.string().nullable(),
  }),
  handle: async ({ parts, grant, query }) => {
    const { from, to, cursor, limit, ...filters } = query;
    const rows = await readAuditLog(parts.store, {
      ...filters,
      organizationId: grant.organizationId,
      fromMs: from,
      toMs: to,
      limit: limit + 1,
      after: decodeCursor(cursor, isCursor),
    });
    const page = rows.slice(0, limit);
    const last = rows.length > limit ? page.at(-1) : undefined;
    return {
      data: page.map((row) => ({
        ...auditEntryOf(row, grant.organizationId),
        subject: row.subject,
        organization_id: grant.organizationId || row.organization_id || null,
      })),
      next_cursor: last
        ? encodeCursor({ atMs: last.at_ms, subject: last.subject, action: last.action, version: last.version })
        : null,
    };
  },
});
