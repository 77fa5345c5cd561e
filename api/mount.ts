import express, { type Request, type RequestHandler, type Response, type Router } from 'express';
import type { z } from 'zod';
import { Problem } from '../ingest/problem.ts';
import type { TokenGrant } from '../ingest/token.ts';
import { callerOf } from './caller.ts';
import type { ApiParts, Route } from './route.ts';

/** Who calls a route that is open to everyone. */
const NOBODY: TokenGrant = { id: '', name: '', scopes: [], organizationId: '', keyId: '', expiresAtMs: 0 };

/** Serves routes: authenticate, validate, handle, answer as JSON. */
export function mountRoutes(parts: ApiParts, routes: readonly Route[]): Router {
  const router = express.Router();
  const json = express.json({ limit: '1mb', strict: false });
  for (const definition of routes) {
    const handlers: RequestHandler[] = definition.body ? [json] : [];
    router[definition.method](definition.path, authorize(parts, definition), ...handlers, serve(parts, definition));
  }
  return router;
}

/** Before the body is read: nobody without a token makes us parse anything. */
function authorize(parts: ApiParts, definition: Route): RequestHandler {
  return async (req, res, next) => {
    const grant = definition.scope === 'none' ? NOBODY : await callerOf(parts, req, definition.scope);
    refuseBeyond(definition.reach, grant);
    res.locals.grant = grant;
    next();
  };
}

/** @throws {Problem} 403 for a token that is bound more narrowly than the route reaches */
export function refuseBeyond(reach: Route['reach'], { organizationId, keyId }: TokenGrant): void {
  if (reach !== undefined && keyId !== '') {
    throw new Problem(403, 'Forbidden', 'a token bound to one key may not do this');
  }
  if (reach === 'platform' && organizationId !== '') {
    throw new Problem(403, 'Forbidden', 'only a token of the whole platform may do this');
  }
}

function serve(parts: ApiParts, definition: Route) {
  return async (req: Request, res: Response): Promise<void> => {
    const answer = await definition.handle({
      parts,
      grant: res.locals.grant as TokenGrant,
      params: validate(definition.params, req.params, '') as Record<string, unknown>,
      query: validate(definition.query, req.query, '') as Record<string, unknown>,
      body: validate(definition.body, req.body, 'body'),
      req,
      res,
    });
    if (answer === undefined || res.headersSent) return;
    res.set('Cache-Control', 'private, no-store').json(answer);
  };
}

function validate(schema: z.ZodType | undefined, value: unknown, place: string): unknown {
  if (!schema) return {};
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const errors = parsed.error.issues.map((issue) => ({ field: issue.path.join('.') || place, message: issue.message }));
  const first = errors[0]!;
  throw new Problem(400, 'Bad request', `${first.field}: ${first.message}`, { extra: { errors } });
}
