import { z } from 'zod';
import { Problem } from '../../ingest/problem.ts';
import type { TokenGrant } from '../../ingest/token.ts';
import { type AuditCursor, readAudit } from '../../workers/keys/audit.ts';
import type { RegisteredKey } from '../../workers/keys/key.ts';
import type { Wish } from '../../workers/keys/lifecycle.ts';
import { applyWish } from '../../workers/keys/transitions.ts';
import { AuditEntryResponse, auditEntryOf } from '../audit-entry.ts';
import { decodeCursor, encodeCursor } from '../cursor.ts';
import { faultOf, fieldProblem, refuseForeign, registryProblem } from '../key-changes.ts';
import { type ApiParts, route } from '../route.ts';
import { KeyParams, KeyResponse, LimitQuery, Sha256, UtcTime } from '../schemas.ts';
import { findKey, mustSeeKey } from './keys.ts';

const Reason = z.string().trim().min(1).max(500);

/**
 * Applies a wish to a key that the grant may see. Repeating it is harmless.
 * @throws {Problem} 404 for an unknown or foreign key, 400 naming a field, 409 when its status forbids it
 */
async function act(parts: ApiParts, grant: TokenGrant, keyId: string, wish: Wish): Promise<void> {
  const organizationId = await mustSeeKey(parts, grant, keyId);
  const { outcome } = await applyWish(parts.registry, keyId, wish, { actor: grant.id }, (present) => {
    refuseForeign(present, grant);
    // A key that nobody registered yet becomes registered by this, for whoever uses it.
    return present.version === 0 ? { organization_id: organizationId } : {};
  }).catch(registryProblem);
  if (outcome.kind !== 'refused') return;
  if (outcome.field === 'expires_at') throw fieldProblem(outcome);
  throw new Problem(409, 'Conflict', outcome.message);
}

export const deactivateKey = route({
  method: 'post',
  path: '/v1/keys/:key_id/deactivate',
  scope: 'manage',
  reach: 'organization',
  summary: 'Deactivate a key: gateways refuse it from now on, its counts and history stay',
  statuses: { 409: 'The status of the key forbids it, or another request is changing it' },
  params: KeyParams,
  body: z.strictObject({ reason: Reason }),
  response: KeyResponse,
  handle: async ({ parts, grant, params, body }) => {
    await act(parts, grant, params.key_id, { kind: 'deactivate', reason: body.reason });
    return findKey(parts, grant, params.key_id);
  },
});

export const reactivateKey = route({
  method: 'post',
  path: '/v1/keys/:key_id/reactivate',
  scope: 'manage',
  reach: 'organization',
  summary: 'Make an inactive or expired key active again; needs a new expires_at when the old one has passed',
  statuses: { 409: 'The status of the key forbids it, or another request is changing it' },
  params: KeyParams,
  body: z.strictObject({ reason: Reason.default('reactivated'), expires_at: UtcTime.nullable().optional() }),
  response: KeyResponse,
  handle: async ({ parts, grant, params, body }) => {
    const wish: Wish = { kind: 'reactivate', reason: body.reason, expiresAt: body.expires_at };
    await act(parts, grant, params.key_id, wish);
    return findKey(parts, grant, params.key_id);
  },
});

export const deleteKey = route({
  method: 'delete',
  path: '/v1/keys/:key_id',
  scope: 'manage',
  reach: 'organization',
  summary: 'Delete a key: it is denied and no longer listed (except by status=deleted); counts and history stay',
  statuses: { 409: 'The status of the key forbids it, or another request is changing it' },
  params: KeyParams,
  query: z.object({ reason: z.string().trim().max(500).default('') }),
  handle: async ({ parts, grant, params, query, res }) => {
    await act(parts, grant, params.key_id, { kind: 'delete', reason: query.reason || 'deleted' });
    res.status(204).end();
  },
});

export const regenerateKey = route({
  method: 'post',
  path: '/v1/keys/:key_id/regenerate',
  scope: 'manage',
  reach: 'organization',
  summary: 'Give a key a new secret under the same id; the old hash no longer resolves, counts and history go on',
  statuses: { 409: 'The key is deleted, another key has this sha256, or another request is changing it' },
  params: KeyParams,
  body: z.strictObject({
    sha256: Sha256,
    prefix: z.string().max(32).optional(),
    expires_at: UtcTime.nullable().optional(),
    reason: Reason.default('regenerated'),
  }),
  response: KeyResponse,
  handle: async ({ parts, grant, params, body }) => {
    const organizationId = await mustSeeKey(parts, grant, params.key_id);
    const { reason, ...secret } = body;
    await parts.registry
      .update(params.key_id, (present) => {
        refuseForeign(present, grant);
        if (present.deleted) throw new Problem(409, 'Conflict', 'the key is deleted');
        if (present.sha256 === secret.sha256) return undefined;
        const fields: Partial<RegisteredKey> = { ...secret, rotated_at: new Date().toISOString(), leaked_at: null };
        if (present.version === 0) fields.organization_id = organizationId;
        const fault = faultOf(present, fields);
        if (fault) throw fieldProblem(fault);
        return { fields, action: 'key.regenerated', actor: grant.id, reason };
      })
      .catch(registryProblem);
    return findKey(parts, grant, params.key_id);
  },
});

function isAuditCursor(value: unknown): value is AuditCursor {
  const cursor = value as AuditCursor | null;
  return Number.isSafeInteger(cursor?.atMs) && Number.isSafeInteger(cursor?.version) && cursor!.version >= 0;
}

export const keyHistory = route({
  method: 'get',
  path: '/v1/keys/:key_id/history',
  scope: 'read',
  summary: 'What was done to a key, newest first: who, what, why, before and after',
  params: KeyParams,
  query: z.object({ limit: LimitQuery(50, 500), cursor: z.string().max(500).optional() }),
  response: z.object({ data: z.array(AuditEntryResponse), next_cursor: z.string().nullable() }),
  handle: async ({ parts, grant, params, query }) => {
    await mustSeeKey(parts, grant, params.key_id);
    const after = decodeCursor(query.cursor, isAuditCursor);
    const rows = await readAudit(parts.store, params.key_id, grant.organizationId, after, query.limit + 1);
    const page = rows.slice(0, query.limit);
    const last = rows.length > query.limit ? page.at(-1) : undefined;
    return {
      data: page.map((row) => auditEntryOf(row, grant.organizationId)),
      next_cursor: last ? encodeCursor({ atMs: last.at_ms, version: last.version }) : null,
    };
  },
});
