import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { Problem } from '../../ingest/problem.ts';
import type { TokenGrant } from '../../ingest/token.ts';
import { type AuditAction, writeAudit } from '../../workers/keys/audit.ts';
import { Policies, type PolicyFields, type PolicyRun, TooManyPolicies } from '../../workers/keys/policies.ts';
import { POLICY_KINDS, type Policy } from '../../workers/keys/policy.ts';
import { because, policyCandidates } from '../../workers/keys/policy-candidates.ts';
import { MAX_RUN_KEYS, runPolicy, undoRun } from '../../workers/keys/policy-run.ts';
import { reportingGap } from '../../workers/keys/reporting-gap.ts';
import { registryProblem } from '../key-changes.ts';
import { type ApiParts, route } from '../route.ts';
import { LimitQuery } from '../schemas.ts';

/** Keys a preview names; the rest is a number. */
const PREVIEW_KEYS = 100;

const days = z.number().int().min(1).max(3650);
const Settings = z.strictObject({
  unused_days: days.optional().describe('unused: not used for this many days'),
  never_used_days: days.optional().describe('unused: never used in this many days since tracking began'),
  window_minutes: z.number().int().min(1).max(1440).optional().describe('abusive: default 15'),
  min_requests: z.number().int().min(1).optional().describe('abusive: fewer requests prove nothing; default 100'),
  client_error_rate: z.number().gt(0).max(1).optional().describe('abusive: share of 4xx answers'),
  anomaly_minutes: z
    .number()
    .int()
    .min(1)
    .max(10_080)
    .optional()
    .describe('abusive: an alert of its behaviour is open and unacknowledged for so long'),
  limit_factor: z.number().min(1).max(1000).optional().describe('abusive: times the limit per minute, on average'),
});

const NEEDS: Partial<Record<Policy['kind'], (keyof z.infer<typeof Settings>)[]>> = {
  unused: ['unused_days', 'never_used_days'],
  abusive: ['client_error_rate', 'limit_factor', 'anomaly_minutes'],
};

const PolicyShape = z.strictObject({
  name: z.string().trim().min(1).max(200),
  kind: z.enum(POLICY_KINDS),
  enabled: z.boolean().default(false),
  organization_id: z.string().max(200).default('').describe('empty = every organization'),
  environment: z.enum(['', 'production', 'staging', 'development']).default(''),
  plan: z.string().max(100).default(''),
  settings: Settings.default({}),
  exempt_key_ids: z.array(z.string().min(1).max(200)).max(1_000).default([]),
  warn_days: z.array(z.number().int().min(1).max(365)).max(10).default([]),
  max_per_run: z.number().int().min(1).max(MAX_RUN_KEYS).default(100),
});

function checkPolicy(
  { kind, settings }: Pick<PolicyFields, 'kind' | 'settings'>,
  context: z.core.$RefinementCtx,
): void {
  const needed = NEEDS[kind];
  if (needed && !needed.some((name) => settings[name] !== undefined))
    context.addIssue({ code: 'custom', path: ['settings'], message: `needs ${needed.join(' or ')}` });
}

const PolicyBody = PolicyShape.superRefine(checkPolicy);

/** A policy that replaces another. */
const PolicyChange = z
  .strictObject({
    ...PolicyShape.shape,
    organization_id: z.string().max(200).optional().describe('empty = every organization; left out = as it is'),
  })
  .superRefine(checkPolicy);

const PolicyResponse = PolicyBody.safeExtend({
  policy_id: z.string(),
  created_at: z.iso.datetime(),
  updated_at: z.iso.datetime(),
});
const PolicyParams = z.object({ policy_id: z.string().min(1).max(100) });

const RunResponse = z.object({
  run_id: z.string(),
  policy_id: z.string(),
  actor: z.string(),
  started_at: z.iso.datetime(),
  finished_at: z.iso.datetime().nullable(),
  outcome: z.enum(['running', 'done', 'stopped', 'undone']),
  matched: z.number().int(),
  warned: z.number().int(),
  changed: z.number().int(),
  detail: z.string(),
});

/** A bound token sees and makes policies of its organization only. @throws {Problem} 404 */
async function findPolicy(parts: ApiParts, grant: TokenGrant, policyId: string): Promise<Policy> {
  const policy = await new Policies(parts.store).find(policyId);
  if (!policy || (grant.organizationId !== '' && policy.organization_id !== grant.organizationId)) {
    throw new Problem(404, 'Not found', 'there is no such policy, or the token may not see it');
  }
  return policy;
}

function scoped(grant: TokenGrant, body: PolicyFields): PolicyFields {
  if (grant.organizationId === '') return body;
  if (body.organization_id !== '' && body.organization_id !== grant.organizationId) {
    throw new Problem(403, 'Forbidden', 'organization_id: the token is bound to another organization');
  }
  return { ...body, organization_id: grant.organizationId };
}

async function note(
  parts: ApiParts,
  grant: TokenGrant,
  action: AuditAction,
  before: Policy | null,
  after: Policy | null,
) {
  const { policy_id: subject, organization_id: organizationId } = (after ?? before)!;
  await writeAudit(parts.store, [{ organizationId, actor: grant.id, action, subject, reason: '', before, after }]);
}

const listPolicies = route({
  method: 'get',
  path: '/v1/policies',
  scope: 'read',
  reach: 'organization',
  summary: 'Deactivation policies. Without any, keys are deactivated only when they expire',
  response: z.object({ data: z.array(PolicyResponse) }),
  handle: async ({ parts, grant }) => {
    return { data: await new Policies(parts.store).list(grant.organizationId) };
  },
});

const getPolicy = route({
  method: 'get',
  path: '/v1/policies/:policy_id',
  scope: 'read',
  reach: 'organization',
  summary: 'One policy',
  params: PolicyParams,
  response: PolicyResponse,
  handle: ({ parts, grant, params }) => findPolicy(parts, grant, params.policy_id),
});

const createPolicy = route({
  method: 'post',
  path: '/v1/policies',
  scope: 'manage',
  reach: 'organization',
  summary: 'Make a policy; it is off unless enabled is true. Preview it first',
  statuses: { 409: 'There are as many policies already as there may be' },
  body: PolicyBody,
  response: PolicyResponse,
  handle: async ({ parts, grant, body }) => {
    const policy = await new Policies(parts.store).create(scoped(grant, body)).catch((error) => {
      throw error instanceof TooManyPolicies ? new Problem(409, 'Conflict', error.message) : error;
    });
    await note(parts, grant, 'policy.created', null, policy);
    return policy;
  },
});

const putPolicy = route({
  method: 'put',
  path: '/v1/policies/:policy_id',
  scope: 'manage',
  reach: 'organization',
  summary:
    'Replace a policy. An organization_id that is left out stays; of everything else what is left out is the default',
  statuses: { 404: 'There is no such policy, or the token may not see it' },
  params: PolicyParams,
  body: PolicyChange,
  response: PolicyResponse,
  handle: async ({ parts, grant, params, body }) => {
    const present = await findPolicy(parts, grant, params.policy_id);
    const { organization_id = present.organization_id } = body;
    const policy = await new Policies(parts.store).change(present, scoped(grant, { ...body, organization_id }));
    await note(parts, grant, 'policy.updated', present, policy);
    return policy;
  },
});

const deletePolicy = route({
  method: 'delete',
  path: '/v1/policies/:policy_id',
  scope: 'manage',
  reach: 'organization',
  summary: 'Delete a policy; what it did stays, and its runs can still be undone',
  params: PolicyParams,
  handle: async ({ parts, grant, params, res }) => {
    const present = await findPolicy(parts, grant, params.policy_id);
    await new Policies(parts.store).remove(present);
    await note(parts, grant, 'policy.deleted', present, null);
    res.status(204).end();
  },
});

const PreviewResponse = z.object({
  matched: z.number().int(),
  would_stop: z.boolean().describe('more keys match than max_per_run: a run would do nothing'),
  keys: z.array(z.object({ key_id: z.string(), name: z.string(), because: z.string() })),
});

async function previewOf(parts: ApiParts, policy: Policy): Promise<z.infer<typeof PreviewResponse>> {
  const nowMs = Date.now();
  const candidates = await policyCandidates(parts.store, policy, nowMs, PREVIEW_KEYS);
  const matched = candidates[0]?.matched ?? 0;
  return {
    matched,
    would_stop: matched > policy.max_per_run,
    keys: candidates.map((key) => ({ key_id: key.key_id, name: key.name, because: because(policy, key, nowMs) })),
  };
}

const previewPolicy = route({
  method: 'post',
  path: '/v1/policies/:policy_id/preview',
  scope: 'read',
  reach: 'organization',
  summary: `What a run would do now, without doing it: how many keys, the first ${PREVIEW_KEYS} of them, and why`,
  params: PolicyParams,
  response: PreviewResponse,
  handle: async ({ parts, grant, params }) => previewOf(parts, await findPolicy(parts, grant, params.policy_id)),
});

const previewUnsavedPolicy = route({
  method: 'post',
  path: '/v1/policies/preview',
  scope: 'read',
  reach: 'organization',
  summary: 'What a run of this policy would do now, before anybody saves it',
  body: PolicyBody,
  response: PreviewResponse,
  handle: ({ parts, grant, body }) =>
    previewOf(parts, { ...scoped(grant, body), policy_id: '', created_at: '', updated_at: '' }),
});

const withoutOrganization = ({ organization_id, ...run }: PolicyRun) => run;

const runPolicyNow = route({
  method: 'post',
  path: '/v1/policies/:policy_id/run',
  scope: 'manage',
  reach: 'organization',
  summary: 'Run a policy now, also one that is off; more matches than max_per_run stop it before it does anything',
  statuses: { 409: 'Other requests are changing the keys' },
  params: PolicyParams,
  response: RunResponse,
  handle: async ({ parts, grant, params }) => {
    const policy = await findPolicy(parts, grant, params.policy_id);
    const order = { runId: randomUUID(), actor: grant.id, reportingGap: () => gapNow(parts) };
    return withoutOrganization(await runPolicy(parts.registry, policy, order).catch(registryProblem));
  },
});

function gapNow({ store, redis, jobQueues }: ApiParts): Promise<string> {
  const batches = jobQueues.filter((one) => one.isOfBatches).map((one) => one.queue);
  return reportingGap(store, redis, batches);
}

const listPolicyRuns = route({
  method: 'get',
  path: '/v1/policies/:policy_id/runs',
  scope: 'read',
  reach: 'organization',
  summary: 'Runs that met keys, newest first',
  params: PolicyParams,
  query: z.object({ limit: LimitQuery(50, 500) }),
  response: z.object({ data: z.array(RunResponse) }),
  handle: async ({ parts, grant, params, query }) => {
    const policy = await findPolicy(parts, grant, params.policy_id);
    const runs = await new Policies(parts.store).runs(policy.policy_id, query.limit);
    return { data: runs.map(withoutOrganization) };
  },
});

const undoPolicyRun = route({
  method: 'post',
  path: '/v1/policy-runs/:run_id/undo',
  scope: 'manage',
  reach: 'organization',
  summary: 'Take a whole run back: only keys that it changed and nobody changed since',
  statuses: { 409: 'Other requests are changing the keys' },
  params: z.object({ run_id: z.string().min(1).max(200) }),
  response: z.object({ reactivated: z.number().int(), left: z.number().int() }),
  handle: async ({ parts, grant, params }) => {
    const run = await new Policies(parts.store).findRun(params.run_id);
    if (!run || (grant.organizationId !== '' && run.organization_id !== grant.organizationId)) {
      throw new Problem(404, 'Not found', 'there is no such run, or the token may not see it');
    }
    return undoRun(parts.registry, run, grant.id).catch(registryProblem);
  },
});

export const POLICY_ROUTES = [
  listPolicies,
  createPolicy,
  getPolicy,
  putPolicy,
  deletePolicy,
  previewUnsavedPolicy,
  previewPolicy,
  runPolicyNow,
  listPolicyRuns,
  undoPolicyRun,
];
