import { z } from 'zod';
import { Problem } from '../../ingest/problem.ts';
import { SCOPES, type Scope } from '../../ingest/token.ts';
import { writeAudit } from '../../workers/keys/audit.ts';
import { RotatedAlready } from '../../workers/tokens.ts';
import { fieldProblem } from '../key-changes.ts';
import { route } from '../route.ts';

const TokenEntry = z.object({
  id: z.string(),
  name: z.string(),
  scopes: z.array(z.enum(SCOPES as [Scope])),
  organization_id: z.string().nullable(),
  key_id: z.string().nullable(),
  created_at: z.iso.datetime(),
  expires_at: z.iso.datetime().nullable(),
  last_used_at: z.iso.datetime().nullable().describe('to the minute; null when it was never used'),
});

const iso = (ms: number) => new Date(ms).toISOString();

// Tokens are the platform's own: an organization's administrator cannot make one that sees more than it does.

export const listTokens = route({
  method: 'get',
  path: '/v1/tokens',
  scope: 'admin',
  reach: 'platform',
  summary: 'Tokens, without the tokens themselves',
  response: z.object({ data: z.array(TokenEntry) }),
  handle: async ({ parts }) => {
    const entries = await parts.tokens.list();
    return {
      data: entries.map((entry) => ({
        id: entry.id,
        name: entry.name,
        scopes: entry.scopes,
        organization_id: entry.organizationId || null,
        key_id: entry.keyId || null,
        created_at: iso(entry.createdAtMs),
        expires_at: entry.expiresAtMs === 0 ? null : iso(entry.expiresAtMs),
        last_used_at: entry.lastUsedMs === 0 ? null : iso(entry.lastUsedMs),
      })),
    };
  },
});

export const createToken = route({
  method: 'post',
  path: '/v1/tokens',
  scope: 'admin',
  reach: 'platform',
  summary: 'Make a token; it is shown in this answer and never again',
  body: z.strictObject({
    name: z.string().min(1).max(200),
    scopes: z.array(z.enum(SCOPES as [Scope])).min(1),
    organization_id: z.string().max(200).default(''),
    key_id: z.string().max(200).default(''),
    expires_at: z.iso.datetime({ offset: true }).optional(),
  }),
  response: z.object({ id: z.string(), token: z.string() }),
  handle: async ({ parts, grant, body }) => {
    const expiresAtMs = body.expires_at === undefined ? 0 : Date.parse(body.expires_at);
    if (expiresAtMs !== 0 && expiresAtMs <= Date.now()) {
      throw fieldProblem({ field: 'expires_at', message: 'must be in the future' });
    }
    const { token, grant: made } = await parts.tokens.create({
      name: body.name,
      scopes: body.scopes,
      organizationId: body.organization_id,
      keyId: body.key_id,
      expiresAtMs,
    });
    await writeAudit(parts.store, [
      {
        organizationId: body.organization_id,
        actor: grant.id,
        action: 'token.created',
        subject: made.id,
        reason: '',
        before: null,
        after: made,
      },
    ]);
    return { id: made.id, token };
  },
});

const MAX_OVERLAP_SECONDS = 30 * 86_400;

export const rotateToken = route({
  method: 'post',
  path: '/v1/tokens/:id/rotate',
  scope: 'admin',
  reach: 'platform',
  summary:
    'A new token with the same rights; the old one works on for the overlap. Shown in this answer and never again',
  statuses: { 409: 'The token was rotated already, or another request changes it at this moment' },
  params: z.object({ id: z.string().max(100) }),
  body: z.strictObject({ overlap_seconds: z.number().int().min(0).max(MAX_OVERLAP_SECONDS).default(86_400) }),
  response: z.object({
    id: z.string(),
    token: z.string(),
    expires_at: z.iso.datetime().nullable().describe('of the new token, as the old one had it; null = never'),
    old_expires_at: z.iso.datetime(),
  }),
  handle: async ({ parts, grant, params, body }) => {
    const rotated = await parts.tokens.rotate(params.id, body.overlap_seconds * 1000).catch(conflictOf);
    if (!rotated) throw new Problem(404, 'Not found', 'there is no such token, or it has expired');
    const { token, grant: made, oldExpiresAtMs } = rotated;
    await writeAudit(parts.store, [
      {
        organizationId: made.organizationId,
        actor: grant.id,
        action: 'token.rotated',
        subject: params.id,
        reason: '',
        before: null,
        after: { successor_id: made.id, expires_at: iso(oldExpiresAtMs) },
      },
    ]);
    const expires_at = made.expiresAtMs === 0 ? null : iso(made.expiresAtMs);
    return { id: made.id, token, expires_at, old_expires_at: iso(oldExpiresAtMs) };
  },
});

function conflictOf(error: unknown): never {
  throw error instanceof RotatedAlready ? new Problem(409, 'Conflict', error.message) : error;
}

export const revokeToken = route({
  method: 'delete',
  path: '/v1/tokens/:id',
  scope: 'admin',
  reach: 'platform',
  summary: 'Revoke a token; it stops working everywhere within seconds',
  statuses: { 409: 'Another request changes the token at this moment; repeat' },
  params: z.object({ id: z.string().max(100) }),
  handle: async ({ parts, grant, params, res }) => {
    const revoked = await parts.tokens.revoke(params.id);
    if (!revoked) throw new Problem(404, 'Not found', 'there is no such token');
    await writeAudit(parts.store, [
      {
        organizationId: revoked.organizationId,
        actor: grant.id,
        action: 'token.revoked',
        subject: params.id,
        reason: '',
        before: null,
        after: null,
      },
    ]);
    res.status(204).end();
  },
});
