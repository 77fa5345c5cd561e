import { z } from 'zod';
import { Problem } from '../../ingest/problem.ts';
import type { TokenGrant } from '../../ingest/token.ts';
import { type Silence, Silences } from '../../workers/alerts/delivery/silences.ts';
import { type AuditAction, writeAudit } from '../../workers/keys/audit.ts';
import { AlertKinds, Environments, KeyIds } from '../channel-body.ts';
import { organizationOf } from '../channel-fields.ts';
import { type ApiParts, route } from '../route.ts';
import { UtcTime } from '../schemas.ts';

const MAX_DAYS = 366;
const DAY_MS = 86_400_000;

const Matchers = z.strictObject({
  kinds: AlertKinds.optional(),
  key_ids: KeyIds.optional(),
  environments: Environments.optional(),
});

const SilenceBody = z
  .strictObject({
    organization_id: z.string().max(200).default('').describe('empty = of the platform: every organization'),
    matchers: Matchers.default({}).describe('what is kept back; an absent list means any'),
    starts_at: UtcTime.optional().describe('default: now'),
    ends_at: UtcTime,
    reason: z.string().trim().min(1).max(500),
  })
  .superRefine(({ starts_at, ends_at }, context) => {
    const startsMs = starts_at === undefined ? Date.now() : Date.parse(starts_at);
    const endsMs = Date.parse(ends_at);
    if (endsMs <= Math.max(startsMs, Date.now())) {
      context.addIssue({ code: 'custom', path: ['ends_at'], message: 'must be after starts_at and in the future' });
    }
    if (endsMs - startsMs > MAX_DAYS * DAY_MS) {
      context.addIssue({ code: 'custom', path: ['ends_at'], message: `must be within ${MAX_DAYS} days of starts_at` });
    }
  });

const SilenceView = z.object({
  silence_id: z.string(),
  organization_id: z.string(),
  matchers: Matchers,
  starts_at: z.iso.datetime(),
  ends_at: z.iso.datetime(),
  reason: z.string(),
  created_by: z.string(),
  created_at: z.iso.datetime(),
  active: z.boolean(),
});

function viewOf({ version, ...silence }: Silence, nowMs: number) {
  const active = Date.parse(silence.starts_at) <= nowMs && nowMs < Date.parse(silence.ends_at);
  return { ...silence, matchers: silence.matchers as never, active };
}

async function note(parts: ApiParts, actor: string, action: AuditAction, silence: Silence): Promise<void> {
  const { silence_id: subject, organization_id: organizationId, reason } = silence;
  await writeAudit(parts.store, [{ organizationId, actor, action, subject, reason, before: null, after: silence }]);
}

export const listSilences = route({
  method: 'get',
  path: '/v1/silences',
  scope: 'read',
  reach: 'organization',
  summary: 'What is not told for a while; alerts still open and show',
  query: z.object({ state: z.enum(['current', 'all']).default('current').describe('current: not over yet') }),
  response: z.object({ data: z.array(SilenceView) }),
  handle: async ({ parts, grant, query }) => {
    const nowMs = Date.now();
    const silences = await new Silences(parts.store).list(grant.organizationId, query.state === 'all' ? 0 : nowMs);
    return { data: silences.map((silence) => viewOf(silence, nowMs)) };
  },
});

export const createSilence = route({
  method: 'post',
  path: '/v1/silences',
  scope: 'manage',
  reach: 'organization',
  summary: 'Do not tell certain alerts until a time',
  body: SilenceBody,
  response: SilenceView,
  handle: async ({ parts, grant, body }) => {
    const nowMs = Date.now();
    const silence = await new Silences(parts.store).create({
      organization_id: organizationOf(grant, body.organization_id),
      matchers: body.matchers as Silence['matchers'],
      starts_at: body.starts_at ?? new Date(nowMs).toISOString(),
      ends_at: body.ends_at,
      reason: body.reason,
      created_by: grant.id,
    });
    await note(parts, grant.id, 'silence.created', silence);
    return viewOf(silence, nowMs);
  },
});

export const endSilence = route({
  method: 'delete',
  path: '/v1/silences/:silence_id',
  scope: 'manage',
  reach: 'organization',
  summary: 'End a silence now; it stays in the list of all',
  params: z.object({ silence_id: z.string().min(1).max(100) }),
  handle: async ({ parts, grant, params, res }) => {
    const silences = new Silences(parts.store);
    const present = await findSilence(silences, grant, params.silence_id);
    if (Date.parse(present.ends_at) > Date.now()) {
      await note(parts, grant.id, 'silence.ended', await silences.expire(present, Date.now()));
    }
    res.status(204).end();
  },
});

async function findSilence(silences: Silences, grant: TokenGrant, silenceId: string): Promise<Silence> {
  const silence = await silences.find(silenceId);
  if (silence && (grant.organizationId === '' || silence.organization_id === grant.organizationId)) return silence;
  throw new Problem(404, 'Not found', 'there is no such silence, or the token may not see it');
}
