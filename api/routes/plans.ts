import { z } from 'zod';
import { Problem } from '../../ingest/problem.ts';
import { writeAudit } from '../../workers/keys/audit.ts';
import { MAX_PLANS, type Plan, Plans } from '../../workers/keys/plans.ts';
import { type ApiParts, route } from '../route.ts';
import { LimitsSchema } from '../schemas.ts';

const PlanParams = z.object({ plan: z.string().min(1).max(100) });
const PlanQuery = z.object({
  organization_id: z.string().max(200).default('').describe("empty = the token's, or for every organization"),
});
const PlanResponse = z.object({
  plan: z.string(),
  organization_id: z.string(),
  description: z.string(),
  limits: LimitsSchema,
  updated_at: z.iso.datetime(),
});

const answerOf = (plan: Plan): z.infer<typeof PlanResponse> => ({
  plan: plan.plan,
  organization_id: plan.organization_id,
  description: plan.description,
  limits: {
    per_minute: plan.limit_per_minute,
    per_day: plan.limit_per_day,
    per_month: plan.limit_per_month,
    burst: plan.limit_burst,
  },
  updated_at: plan.updated_at,
});

/** A bound token has plans of its organization. @throws {Problem} 403 when it names another */
function ownerOf(grant: { organizationId: string }, asked: string): string {
  if (grant.organizationId === '' || asked === '' || asked === grant.organizationId) {
    return grant.organizationId || asked;
  }
  throw new Problem(403, 'Forbidden', 'organization_id: the token is bound to another organization');
}

async function find(parts: ApiParts, organizationId: string, name: string): Promise<Plan | undefined> {
  const plans = await new Plans(parts.store).list(organizationId);
  return plans.find((plan) => plan.plan === name && plan.organization_id === organizationId);
}

export const listPlans = route({
  method: 'get',
  path: '/v1/plans',
  scope: 'read',
  // Whoever holds one key reads its limits with the key; which plans there are is its organization's business.
  reach: 'organization',
  summary: 'Plans and their limits: those of the organization and the common ones',
  response: z.object({ data: z.array(PlanResponse) }),
  handle: async ({ parts, grant }) => ({
    data: (await new Plans(parts.store).list(grant.organizationId)).map(answerOf),
  }),
});

export const putPlan = route({
  method: 'put',
  path: '/v1/plans/:plan',
  scope: 'manage',
  reach: 'organization',
  summary: 'Define a plan or replace it; its limits hold at once for every key that has none of its own',
  statuses: { 409: 'There are as many plans already as there may be' },
  params: PlanParams,
  query: PlanQuery,
  body: z.strictObject({ description: z.string().max(2000).default(''), limits: LimitsSchema.partial().default({}) }),
  response: PlanResponse,
  handle: async ({ parts, grant, params, query, body }) => {
    const organizationId = ownerOf(grant, query.organization_id);
    const before = await find(parts, organizationId, params.plan);
    if (!before && (await new Plans(parts.store).list()).length >= MAX_PLANS) {
      throw new Problem(409, 'Conflict', `there are ${MAX_PLANS} plans already`);
    }
    const { per_minute, per_day, per_month, burst } = body.limits;
    const after = await new Plans(parts.store).put({
      organization_id: organizationId,
      plan: params.plan,
      description: body.description,
      limit_per_minute: per_minute ?? null,
      limit_per_day: per_day ?? null,
      limit_per_month: per_month ?? null,
      limit_burst: burst ?? null,
    });
    const entry = {
      organizationId,
      actor: grant.id,
      action: 'plan.changed' as const,
      subject: params.plan,
      reason: '',
    };
    await writeAudit(parts.store, [{ ...entry, before: before ?? null, after }]);
    return answerOf(after);
  },
});

export const deletePlan = route({
  method: 'delete',
  path: '/v1/plans/:plan',
  scope: 'manage',
  reach: 'organization',
  summary: 'Delete a plan; keys keep its name, its limits no longer hold',
  params: PlanParams,
  query: PlanQuery,
  handle: async ({ parts, grant, params, query, res }) => {
    const organizationId = ownerOf(grant, query.organization_id);
    const before = await find(parts, organizationId, params.plan);
    if (!before) throw new Problem(404, 'Not found', 'there is no such plan, or the token may not see it');
    await new Plans(parts.store).remove(before);
    const entry = {
      organizationId,
      actor: grant.id,
      action: 'plan.deleted' as const,
      subject: params.plan,
      reason: '',
    };
    await writeAudit(parts.store, [{ ...entry, before, after: null }]);
    res.status(204).end();
  },
});
