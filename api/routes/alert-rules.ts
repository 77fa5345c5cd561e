import { z } from 'zod';
import { Problem } from '../../ingest/problem.ts';
import type { TokenGrant } from '../../ingest/token.ts';
import { ALERT_KINDS } from '../../workers/alerts/alert.ts';
import { applyRules } from '../../workers/alerts/rules/apply-rules.ts';
import { MAX_PREVIEW_DAYS, NotReplayable, previewRule } from '../../workers/alerts/rules/preview.ts';
import type { Rule } from '../../workers/alerts/rules/rule.ts';
import { MAX_RULES, Rules, TooManyRules } from '../../workers/alerts/rules/rule-store.ts';
import { defaultSettings, RuleBody, RuleChange, type RuleFields } from '../../workers/alerts/rules/settings.ts';
import { tryRule } from '../../workers/alerts/rules/try-rule.ts';
import { type AuditAction, writeAudit } from '../../workers/keys/audit.ts';
import { fieldProblem } from '../key-changes.ts';
import { type ApiParts, route } from '../route.ts';
import { mustSeeKey } from './keys.ts';

const RuleResponse = RuleBody.safeExtend({
  rule_id: z.string(),
  source: z.enum(['api', 'file']).describe('file: made by alerts.yaml and changed only there'),
  created_at: z.iso.datetime(),
  updated_at: z.iso.datetime(),
});
const RuleParams = z.object({ rule_id: z.string().min(1).max(100) });

/** A bound token makes rules for its organization only. @throws {Problem} 403 */
function scoped(grant: TokenGrant, body: RuleFields): RuleFields {
  if (grant.organizationId === '') return body;
  if (body.organization_id !== '' && body.organization_id !== grant.organizationId) {
    throw new Problem(403, 'Forbidden', 'organization_id: the token is bound to another organization');
  }
  if (body.kind === 'platform')
    throw new Problem(403, 'Forbidden', 'kind: platform rules need a token that is not bound');
  return { ...body, organization_id: grant.organizationId };
}

/** @throws {Problem} 404 for an unknown rule and for one of another organization */
async function findRule(parts: ApiParts, grant: TokenGrant, ruleId: string): Promise<Rule> {
  const rule = await new Rules(parts.store).find(ruleId);
  if (!rule || (grant.organizationId !== '' && rule.organization_id !== grant.organizationId)) {
    throw new Problem(404, 'Not found', 'there is no such rule, or the token may not see it');
  }
  return rule;
}

function refuseFile(rule: Rule): void {
  if (rule.source === 'file') throw new Problem(409, 'Conflict', 'the rule is made by a file: change it there');
}

async function note(
  parts: ApiParts,
  grant: TokenGrant,
  action: AuditAction,
  before: Rule | null,
  after: Rule | null,
): Promise<void> {
  const { rule_id: subject, organization_id: organizationId } = (after ?? before)!;
  await writeAudit(parts.store, [{ organizationId, actor: grant.id, action, subject, reason: '', before, after }]);
}

const listRules = route({
  method: 'get',
  path: '/v1/alert-rules',
  scope: 'read',
  reach: 'organization',
  summary:
    'Rules of alerts, and the defaults that hold where no rule matches. Of several that match a key the most specific holds',
  response: z.object({
    data: z.array(RuleResponse),
    defaults: z.array(z.object({ kind: z.enum(ALERT_KINDS), settings: z.record(z.string(), z.unknown()) })),
  }),
  handle: async ({ parts, grant }) => {
    return {
      data: await new Rules(parts.store).list(grant.organizationId),
      defaults: ALERT_KINDS.map((kind) => ({ kind, settings: defaultSettings(kind) })),
    };
  },
});

const getRule = route({
  method: 'get',
  path: '/v1/alert-rules/:rule_id',
  scope: 'read',
  reach: 'organization',
  summary: 'One rule',
  params: RuleParams,
  response: RuleResponse,
  handle: ({ parts, grant, params }) => findRule(parts, grant, params.rule_id),
});

const createRule = route({
  method: 'post',
  path: '/v1/alert-rules',
  scope: 'manage',
  reach: 'organization',
  summary: 'Make a rule; it holds from the next evaluation on. Preview it first',
  statuses: { 409: 'There are as many rules already as there may be' },
  body: RuleBody,
  response: RuleResponse,
  handle: async ({ parts, grant, body }) => {
    const rule = await new Rules(parts.store).create(scoped(grant, body)).catch((error) => {
      throw error instanceof TooManyRules ? new Problem(409, 'Conflict', error.message) : error;
    });
    await note(parts, grant, 'alert_rule.created', null, rule);
    return rule;
  },
});

const putRule = route({
  method: 'put',
  path: '/v1/alert-rules/:rule_id',
  scope: 'manage',
  reach: 'organization',
  summary:
    'Replace a rule. An organization_id that is left out stays; of everything else what is left out is the default',
  statuses: { 404: 'There is no such rule, or the token may not see it', 409: 'The rule is made by a file' },
  params: RuleParams,
  body: RuleChange,
  response: RuleResponse,
  handle: async ({ parts, grant, params, body }) => {
    const present = await findRule(parts, grant, params.rule_id);
    refuseFile(present);
    const organization_id = body.organization_id ?? present.organization_id;
    if (body.kind === 'platform' && organization_id !== '')
      throw fieldProblem({ field: 'organization_id', message: 'a platform rule is for everything: give it empty' });
    const rule = await new Rules(parts.store).change(present, scoped(grant, { ...body, organization_id }));
    await note(parts, grant, 'alert_rule.updated', present, rule);
    return rule;
  },
});

const deleteRule = route({
  method: 'delete',
  path: '/v1/alert-rules/:rule_id',
  scope: 'manage',
  reach: 'organization',
  summary: 'Delete a rule: the next less specific one holds, or the defaults',
  statuses: { 409: 'The rule is made by a file' },
  params: RuleParams,
  handle: async ({ parts, grant, params, res }) => {
    const present = await findRule(parts, grant, params.rule_id);
    refuseFile(present);
    await new Rules(parts.store).remove(present);
    await note(parts, grant, 'alert_rule.deleted', present, null);
    res.status(204).end();
  },
});

const unreplayable = (error: unknown): never => {
  throw error instanceof NotReplayable ? new Problem(400, 'Bad request', error.message) : error;
};

const previewAlertRule = route({
  method: 'post',
  path: '/v1/alert-rules/preview',
  scope: 'read',
  reach: 'organization',
  summary:
    'What a rule would have said in the last days, judged over stored traffic; nothing is saved and nobody is told',
  body: z.strictObject({ rule: RuleBody, days: z.number().int().min(1).max(MAX_PREVIEW_DAYS).default(7) }),
  response: z.object({
    days: z.number().int(),
    fired: z.number().int().describe('how often people would have been told'),
    alerts: z.array(
      z.object({
        key_id: z.string(),
        scope: z.string(),
        at: z.iso.datetime(),
        ended_at: z.iso.datetime().nullable(),
        severity: z.string(),
        summary: z.string(),
      }),
    ),
    keys_in_scope: z.number().int(),
    keys_looked_at: z.number().int(),
    cut: z.string().describe('why not everything was looked at; empty = everything was'),
  }),
  handle: ({ parts, grant, body }) =>
    previewRule(parts.store, scoped(grant, body.rule), body.days, Date.now()).catch(unreplayable),
});

const testAlertRule = route({
  method: 'post',
  path: '/v1/alert-rules/test',
  scope: 'read',
  reach: 'organization',
  summary:
    'How a rule judges one key in the newest window that was judged for the alerts; nothing is saved and nobody is told',
  body: z.strictObject({ rule: RuleBody, key_id: z.string().min(1).max(200) }),
  response: z.object({
    at: z.iso.datetime().nullable().describe('end of the window; null: none was judged yet'),
    judged: z.array(z.object({ scope: z.string(), level: z.string(), severity: z.string(), summary: z.string() })),
  }),
  handle: async ({ parts, grant, body }) => {
    const rule = scoped(grant, body.rule);
    await mustSeeKey(parts, grant, body.key_id);
    return tryRule(parts.store, rule, body.key_id).catch(unreplayable);
  },
});

const applyAlertRules = route({
  method: 'post',
  path: '/v1/alert-rules/apply',
  scope: 'manage',
  reach: 'platform',
  summary:
    'Make the rules that come from a file as given: creates, changes and deletes them; rules made by this API stay',
  body: z.strictObject({ rules: z.array(RuleBody).max(MAX_RULES) }),
  response: z.object({
    created: z.number().int(),
    updated: z.number().int(),
    deleted: z.number().int(),
    unchanged: z.number().int(),
  }),
  handle: async ({ parts, grant, body }) => {
    const applied = await applyRules(parts.store, body.rules);
    const entry = {
      organizationId: '',
      actor: grant.id,
      action: 'alert_rule.applied' as const,
      subject: 'file',
      reason: '',
    };
    await writeAudit(parts.store, [{ ...entry, before: null, after: applied }]);
    return applied;
  },
});

export const ALERT_RULE_ROUTES = [
  listRules,
  createRule,
  previewAlertRule,
  testAlertRule,
  applyAlertRules,
  getRule,
  putRule,
  deleteRule,
];
