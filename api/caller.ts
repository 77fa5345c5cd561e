import type { Request } from 'express';
import { authenticate } from '../ingest/authenticate.ts';
import { Problem } from '../ingest/problem.ts';
import { allows, bearerToken, type Scope, type TokenGrant } from '../ingest/token.ts';
import type { ApiParts } from './route.ts';
import { SESSION_COOKIE } from './sessions.ts';

/**
 * Who calls: a token in the Authorization header, or the dashboard's session cookie.
 * @throws {Problem} 401 or 403
 */
export async function callerOf(parts: ApiParts, req: Request, scope: Scope): Promise<TokenGrant> {
  const session = cookie(req, SESSION_COOKIE);
  if (bearerToken(req.get('authorization')) !== '' || session === '') {
    return authenticate(parts.tokenReader, req, scope);
  }
  // A foreign page can make a browser send the cookie, but not this header.
  if (req.method !== 'GET' && req.get('x-requested-with') !== 'keytally') {
    throw new Problem(403, 'Forbidden', 'requests with a session cookie need the header X-Requested-With: keytally');
  }
  const grant = await parts.sessions.find(session);
  if (!grant || (grant.expiresAtMs !== 0 && grant.expiresAtMs <= Date.now())) {
    throw new Problem(401, 'Unauthorized', 'the session has ended; sign in again');
  }
  if (!allows(grant, scope, Date.now())) throw new Problem(403, 'Forbidden', `the token has no "${scope}" scope`);
  parts.tokenReader.noteUse(grant.id, Date.now());
  return grant;
}

/** Value of a cookie; '' when absent. */
export function cookie(req: Request, name: string): string {
  for (const part of (req.get('cookie') ?? '').split(';')) {
    const [key, value] = part.trim().split('=', 2);
    if (key === name) return value ?? '';
  }
  return '';
}
