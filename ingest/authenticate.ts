import type { Request } from 'express';
import { Problem } from './problem.ts';
import { allows, bearerToken, type Scope, type TokenGrant, type TokenReader, tokensUnavailable } from './token.ts';

const CHALLENGE = { 'WWW-Authenticate': 'Bearer realm="keytally"' };

/**
 * The grant behind a request.
 * @param token where it was presented; default: the Authorization header
 * @throws {Problem} 401 without a valid token, 403 when it lacks `scope`, 503 when Redis cannot tell
 */
export async function authenticate(
  tokens: TokenReader,
  req: Request,
  scope: Scope,
  token = bearerToken(req.get('authorization')),
): Promise<TokenGrant> {
  if (token === '') {
    throw new Problem(401, 'Unauthorized', 'send Authorization: Bearer <token>', { headers: CHALLENGE });
  }
  const grant = await tokens.find(token).catch((cause: unknown) => {
    throw tokensUnavailable(cause);
  });
  const nowMs = Date.now();
  if (!grant || (grant.expiresAtMs !== 0 && grant.expiresAtMs <= nowMs)) {
    throw new Problem(401, 'Unauthorized', 'the token is unknown, revoked or expired', { headers: CHALLENGE });
  }
  if (!allows(grant, scope, nowMs)) {
    throw new Problem(403, 'Forbidden', `the token has no "${scope}" scope`);
  }
  tokens.noteUse(grant.id, nowMs);
  return grant;
}

/** The token as a gateway presents it: Firehose can only send its own access-key header. */
export function presentedToken(req: Request): string {
  return bearerToken(req.get('authorization')) || (req.get('x-amz-firehose-access-key') ?? '');
}
