import { z } from 'zod';
import { Problem } from '../../ingest/problem.ts';
import { cookie } from '../caller.ts';
import { route } from '../route.ts';
import { SESSION_COOKIE } from '../sessions.ts';

const Session = z.object({
  name: z.string(),
  scopes: z.array(z.string()),
  organization_id: z.string().nullable(),
  key_id: z.string().nullable(),
});

export const startSession = route({
  method: 'post',
  path: '/v1/session',
  scope: 'none',
  summary: 'Sign in to the dashboard with a token; answers with an HttpOnly cookie',
  statuses: { 401: 'The token is unknown, revoked or expired' },
  body: z.strictObject({ token: z.string().max(300) }),
  handle: async ({ parts, body, req, res }) => {
    const grant = await parts.tokenReader.find(body.token.trim());
    if (!grant || (grant.expiresAtMs !== 0 && grant.expiresAtMs <= Date.now())) {
      throw new Problem(401, 'Unauthorized', 'the token is unknown, revoked or expired');
    }
    parts.tokenReader.noteUse(grant.id, Date.now());
    const id = await parts.sessions.start(body.token.trim());
    const secure = req.secure || parts.config.PUBLIC_URL?.startsWith('https:') === true;
    res.cookie(SESSION_COOKIE, id, { httpOnly: true, sameSite: 'strict', secure, path: '/' });
    res.status(204).end();
  },
});

export const getSession = route({
  method: 'get',
  path: '/v1/session',
  scope: 'read',
  summary: 'What the presented token or session may do',
  response: Session,
  handle: async ({ grant }) => ({
    name: grant.name,
    scopes: grant.scopes,
    organization_id: grant.organizationId || null,
    key_id: grant.keyId || null,
  }),
});

export const endSession = route({
  method: 'delete',
  path: '/v1/session',
  scope: 'none',
  summary: 'Sign out',
  handle: async ({ parts, req, res }) => {
    const id = cookie(req, SESSION_COOKIE);
    if (id !== '') await parts.sessions.end(id);
    res.clearCookie(SESSION_COOKIE, { httpOnly: true, sameSite: 'strict', path: '/' });
    res.status(204).end();
  },
});
