import { z } from 'zod';
import { Problem } from '../../ingest/problem.ts';
import type { TokenGrant } from '../../ingest/token.ts';
import { acknowledgeAlert } from '../../workers/alerts/acknowledge.ts';
import { ALERT_KINDS } from '../../workers/alerts/alert.ts';
import { decodeCursor, encodeCursor } from '../cursor.ts';
import { type AlertCursor, type AlertFilter, type AlertRow, alertSteps, listAlerts } from '../queries/alerts.ts';
import { type ApiParts, route } from '../route.ts';
import { LimitQuery, time_ms } from '../schemas.ts';

const DAY_MS = 86_400_000;
const DEFAULT_DAYS = 30;
const PHASES = ['firing', 'recovering', 'resolved'] as const;
const SEVERITIES = ['info', 'warning', 'critical'] as const;

const Evidence = z
  .looseObject({ summary: z.string() })
  .describe('what was seen, what was expected and from which history; the fields depend on the kind');

export const AlertResponse = z.object({
  alert_id: z.string().describe('one opening of an alert'),
  kind: z.enum(ALERT_KINDS),
  scope: z.string().describe('what of the key: server_errors, spike, drop, day, a country; empty = the key as such'),
  key_id: z.string().describe('empty = the whole platform'),
  organization_id: z.string(),
  environment: z.string(),
  rule_id: z.string().describe('rule that judged it; empty = the defaults'),
  phase: z.enum(PHASES),
  severity: z.enum(SEVERITIES),
  summary: z.string(),
  opened_at: z.iso.datetime(),
  changed_at: z.iso.datetime(),
  resolved_at: z.iso.datetime().nullable(),
  told: z.boolean().describe('whether anybody was to be told of it'),
  withheld: z.string().describe('what keeps messages back at present: silenced, inhibited, quiet or flapping'),
  acknowledged: z.object({ by: z.string(), at: z.iso.datetime() }).nullable(),
  evidence: Evidence,
});

const Step = z.object({
  event_id: z.string(),
  at: z.iso.datetime(),
  phase: z.string(),
  severity: z.enum(SEVERITIES),
  transition: z.string().describe('opened, severity_raised, recovering, resolved or acknowledged'),
  notify: z.string().describe('why people were to be told; empty = they were not'),
  withheld: z.string(),
  actor: z.string(),
  evidence: Evidence,
});

const iso = (ms: number) => new Date(ms).toISOString();

function alertAnswer(row: AlertRow): z.infer<typeof AlertResponse> {
  const over = row.phase === 'resolved';
  const resolvedMs = row.resolved_ms || row.ack_ms;
  return {
    alert_id: row.alert_id,
    kind: row.kind,
    scope: row.scope,
    key_id: row.key_id,
    organization_id: row.organization_id,
    environment: row.environment,
    rule_id: row.rule_id,
    phase: row.phase as (typeof PHASES)[number],
    severity: row.severity,
    summary: (over ? row.latest : row.evidence).summary,
    opened_at: iso(row.opened_ms),
    changed_at: iso(row.changed_ms),
    resolved_at: over && resolvedMs > 0 ? iso(resolvedMs) : null,
    told: row.told > 0,
    withheld: row.withheld,
    acknowledged: row.ack_ms > 0 ? { by: row.ack_by, at: iso(row.ack_ms) } : null,
    evidence: { ...row.evidence },
  };
}

function isCursor(value: unknown): value is AlertCursor {
  const cursor = value as AlertCursor | null;
  return Number.isSafeInteger(cursor?.openedMs) && typeof cursor?.alertId === 'string';
}

const ANY: Omit<AlertFilter, 'organizationId' | 'keyId'> = {
  alertId: '',
  kind: '',
  phase: '',
  severity: '',
  sinceMs: 0,
  limit: 1,
  after: undefined,
};

/** @throws {Problem} 404 for an unknown alert and for one that the grant may not see: both look the same */
async function findAlert(parts: ApiParts, grant: TokenGrant, alertId: string): Promise<AlertRow> {
  const bound = { organizationId: grant.organizationId, keyId: grant.keyId };
  const [row] = await listAlerts(parts.store, { ...ANY, ...bound, alertId });
  if (!row) throw new Problem(404, 'Not found', 'there is no such alert, or the token may not see it');
  return row;
}

const getAlerts = route({
  method: 'get',
  path: '/v1/alerts',
  scope: 'read',
  summary: 'Alerts, the newest openings first, with what was seen and what was expected',
  query: z.object({
    key_id: z.string().max(200).default(''),
    kind: z.enum(ALERT_KINDS).optional(),
    phase: z
      .enum(['open', ...PHASES])
      .optional()
      .describe('open = firing or recovering'),
    severity: z.enum(SEVERITIES).optional(),
    organization_id: z.string().max(200).default(''),
    since: time_ms.optional().describe(`changed since then; default: ${DEFAULT_DAYS} days`),
    limit: LimitQuery(50, 500),
    cursor: z.string().max(500).optional(),
  }),
  response: z.object({ data: z.array(AlertResponse), next_cursor: z.string().nullable() }),
  handle: async ({ parts, grant, query }) => {
    if (grant.organizationId !== '' && query.organization_id !== '' && query.organization_id !== grant.organizationId) {
      throw new Problem(403, 'Forbidden', 'the token is bound to another organization');
    }
    if (grant.keyId !== '' && query.key_id !== '' && query.key_id !== grant.keyId)
      return { data: [], next_cursor: null };
    const rows = await listAlerts(parts.store, {
      alertId: '',
      keyId: grant.keyId || query.key_id,
      kind: query.kind ?? '',
      phase: query.phase ?? '',
      severity: query.severity ?? '',
      organizationId: grant.organizationId || query.organization_id,
      sinceMs: query.since ?? Date.now() - DEFAULT_DAYS * DAY_MS,
      limit: query.limit + 1,
      after: decodeCursor(query.cursor, isCursor),
    });
    const page = rows.slice(0, query.limit);
    const last = rows.length > query.limit ? page.at(-1) : undefined;
    return {
      data: page.map(alertAnswer),
      next_cursor: last ? encodeCursor({ openedMs: last.opened_ms, alertId: last.alert_id }) : null,
    };
  },
});

const AlertParams = z.object({ alert_id: z.string().min(1).max(100) });

const getAlert = route({
  method: 'get',
  path: '/v1/alerts/:alert_id',
  scope: 'read',
  summary: 'One alert with every step it took',
  params: AlertParams,
  response: AlertResponse.extend({ events: z.array(Step) }),
  handle: async ({ parts, grant, params }) => {
    const row = await findAlert(parts, grant, params.alert_id);
    return { ...alertAnswer(row), events: await alertSteps(parts.store, row.alert_key, row.alert_id) };
  },
});

const acknowledge = route({
  method: 'post',
  path: '/v1/alerts/:alert_id/acknowledge',
  scope: 'manage',
  summary:
    'Say that you have seen an alert: it is not repeated unless it grows worse; a notice about a key ends with it',
  statuses: { 409: 'The alert is over' },
  params: AlertParams,
  body: z.strictObject({ note: z.string().trim().max(500).default('') }).default({ note: '' }),
  response: AlertResponse,
  handle: async ({ parts, grant, params, body }) => {
    const row = await findAlert(parts, grant, params.alert_id);
    const outcome = await acknowledgeAlert(parts.store, {
      alertKey: row.alert_key,
      alertId: row.alert_id,
      actor: grant.id,
      note: body.note,
    });
    if (outcome === 'over') throw new Problem(409, 'Conflict', 'the alert is over');
    return alertAnswer(await findAlert(parts, grant, params.alert_id));
  },
});

export const ALERT_ROUTES = [getAlerts, getAlert, acknowledge];
