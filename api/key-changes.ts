import type { z } from 'zod';
import { Problem } from '../ingest/problem.ts';
import type { TokenGrant } from '../ingest/token.ts';
import type { RegisteredKey } from '../workers/keys/key.ts';
import { isPast } from '../workers/keys/lifecycle.ts';
import { isKnownPlan, type Plan } from '../workers/keys/plans.ts';
import { KeyConflict } from '../workers/keys/registry.ts';
import type { KeyBody } from './schemas.ts';

/** What a body says of a key, as it is stored. @throws {Problem} 403 when it names a foreign organization */
export function fieldsOf(body: z.infer<typeof KeyBody>, grant: TokenGrant): Partial<RegisteredKey> {
  const { limits, owner, permissions, ...plain } = body;
  if (
    grant.organizationId !== '' &&
    plain.organization_id !== undefined &&
    plain.organization_id !== grant.organizationId
  ) {
    throw new Problem(403, 'Forbidden', 'organization_id: the token is bound to another organization');
  }
  const fields: Record<string, unknown> = { ...plain };
  if (grant.organizationId !== '') fields.organization_id = grant.organizationId;
  for (const [name, limit] of Object.entries(limits ?? {}))
    fields[name === 'burst' ? 'limit_burst' : `limit_${name}`] = limit;
  if (permissions !== undefined) fields.permissions = permissions === null ? '' : JSON.stringify(permissions);
  if (owner) Object.assign(fields, { owner_name: owner.name, owner_email: owner.email });
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

/**
 * With the organization that a key gets which nobody registered before: the one that uses it, unless the fields say another. It would lose
 * sight of the key else.
 */
export function withOwner(
  present: RegisteredKey,
  fields: Partial<RegisteredKey>,
  user: string,
): Partial<RegisteredKey> {
  return present.version === 0 ? { organization_id: user, ...fields } : fields;
}

/** A bound token changes keys of its organization and keys that belong to nobody; others look absent to it. */
export function isForeign(present: RegisteredKey, grant: TokenGrant): boolean {
  return grant.organizationId !== '' && present.version > 0 && present.organization_id !== grant.organizationId;
}

/** @throws {Problem} 404 for a key that the grant may not change */
export function refuseForeign(present: RegisteredKey, grant: TokenGrant): void {
  if (isForeign(present, grant)) throw noSuchKey();
}

export function noSuchKey(): Problem {
  return new Problem(404, 'Not found', 'there is no such key, or the token may not see it');
}

/** Ids that could not be read back: `GET /v1/keys/denied` is a route of its own. */
const RESERVED_IDS: ReadonlySet<string> = new Set(['denied', 'import']);

/**
 * Why the fields cannot be stored over the present key; undefined when they can.
 * @param plans all plans that are defined
 */
export function faultOf(
  present: RegisteredKey,
  fields: Partial<RegisteredKey>,
  plans: readonly Plan[] = [],
): { field: string; message: string } | undefined {
  const { expires_at: expiresAt, successor_key_id: successor, plan } = fields;
  if (RESERVED_IDS.has(present.key_id)) return { field: 'key_id', message: 'is the name of a route' };
  // What a key has already may be sent back: a past expiry is only refused where it is new.
  if (expiresAt && expiresAt !== present.expires_at && isPast(expiresAt, Date.now())) {
    return { field: 'expires_at', message: 'must be in the future' };
  }
  if (successor && successor === present.key_id) {
    return { field: 'successor_key_id', message: 'a key cannot succeed itself' };
  }
  const organizationId = fields.organization_id ?? present.organization_id;
  if (plan !== undefined && plan !== present.plan && !isKnownPlan(plans, organizationId, plan)) {
    return { field: 'plan', message: `there is no plan "${plan}"` };
  }
  return undefined;
}

/** A 400 that names the field. */
export function fieldProblem({ field, message }: { field: string; message: string }): Problem {
  return new Problem(400, 'Bad request', `${field}: ${message}`, { extra: { errors: [{ field, message }] } });
}

/** Errors of the registry in the words of the API; for `.catch`. */
export function registryProblem(error: unknown): never {
  throw error instanceof KeyConflict ? new Problem(409, 'Conflict', error.message) : error;
}
