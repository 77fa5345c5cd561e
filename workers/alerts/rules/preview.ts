import { nextTurn } from '../../../ingest/event-loop.ts';
import type { Store } from '../../clickhouse/store.ts';
import type { KeyEvent } from '../../keys/events.ts';
import { USED_BY } from '../../keys/used-by.ts';
import type { AlertKind } from '../alert.ts';
import { EVALUATION_SETTINGS } from '../evaluation/baselines.ts';
import { ALERTING_EVENTS, keyEventSeverity, mappingOf } from '../key-events/key-alert.ts';
import { stepSeverity } from '../limits/limit-step.ts';
import { previewFleet } from './fleet-preview.ts';
import { limitHistorySql } from './limit-history.ts';
import { PAST_KINDS, type PastKind } from './past-kinds.ts';
import { type Fired, replayKey, type ScopedKey, type Span } from './replay.ts';
import { type Effective, effectiveOf, type Rule } from './rule.ts';
import type { RuleFields, SettingsOf } from './settings.ts';

export const MAX_PREVIEW_DAYS = 14;
/** Keys that are looked at: those with the most requests. */
const MAX_KEYS = 100;
/** Read together: one slice of time holds all keys, so a read costs the same for one key as for many. */
const KEYS_PER_READ = 25;
/** A preview is answered in time for the page that waits: what was looked at until then counts, and it says so. */
const MAX_JUDGING_MS = 6_000;
const MAX_FIRED = 500;
const DAY_SECONDS = 86_400;

export interface Preview {
  days: number;
  /** How often people would have been told. */
  fired: number;
  alerts: Fired[];
  keys_in_scope: number;
  keys_looked_at: number;
  /** Why not everything was looked at; '' = everything was. */
  cut: string;
}

/** Raised for a kind that is not judged on traffic. */
export class NotReplayable extends Error {}

/** The rule as if it were stored. */
const ruleOf = (rule: RuleFields): Rule => ({
  ...rule,
  rule_id: 'preview',
  source: 'api',
  created_at: '',
  updated_at: '',
});

/** What a rule would have said in the last days, judged over stored traffic by the code that judges it in production. */
export async function previewRule(store: Store, rule: RuleFields, days: number, nowMs: number): Promise<Preview> {
  if (!rule.enabled) return { ...answer(days, [], 0, 0), cut: 'the rule is off: it tells nothing' };
  const effective = effectiveOf(rule.kind, ruleOf(rule));
  const past = PAST_KINDS.find(({ kind }) => kind.kind === rule.kind);
  if (past) return replayed(store, past, rule, effective, days, nowMs);
  if (rule.kind === 'platform') return ofPlatform(store, rule, days, nowMs);
  if (rule.kind === 'near_limit') return ofLimits(store, rule, effective as Effective<'near_limit'>, days, nowMs);
  return ofKeyEvents(store, rule, days, nowMs);
}

const SCOPE = `({organization_id:String} = '' OR organization_id = {organization_id:String})
  AND ({environment:String} = '' OR environment = {environment:String})
  AND ({plan:String} = '' OR plan = {plan:String}) AND ({key_id:String} = '' OR key_id = {key_id:String})`;

const scopeParams = ({ organization_id, environment, plan, key_id }: RuleFields) => ({
  organization_id,
  environment,
  plan,
  key_id,
});

interface FoundKey extends ScopedKey {
  /** All keys in scope, also beyond the limit. */
  total: number;
}

/** Keys in the rule's scope with traffic in these days, those with the most first. */
async function keysInScope(store: Store, rule: RuleFields, from: number): Promise<FoundKey[]> {
  return store.query<FoundKey>(
    `SELECT key_id, since, count() OVER () AS total
     FROM (SELECT u.key_id AS key_id, u.requests AS requests, t.since AS since, if(k.key_id = '', t.seen_by, k.organization_id) AS organization_id,
             k.environment AS environment, k.plan AS plan
           FROM (SELECT key_id, sum(d.requests) AS requests FROM usage_day AS d WHERE start >= toDateTime({from:UInt32}, 'UTC') GROUP BY key_id) AS u
           LEFT JOIN (SELECT * FROM keys FINAL) AS k ON k.key_id = u.key_id
           LEFT JOIN (SELECT key_id, ${USED_BY} AS seen_by, toUnixTimestamp(min(t.tracking_since)) AS since FROM key_totals AS t GROUP BY key_id) AS t ON t.key_id = u.key_id)
     WHERE ${SCOPE} ORDER BY requests DESC, key_id LIMIT ${MAX_KEYS}`,
    { ...scopeParams(rule), from: from - (from % DAY_SECONDS) },
    EVALUATION_SETTINGS,
  );
}

/** Judges key after key until the time is up. */
async function replayed(
  store: Store,
  past: PastKind,
  rule: RuleFields,
  effective: Effective<AlertKind>,
  days: number,
  nowMs: number,
): Promise<Preview> {
  const span = spanOf(days, nowMs);
  const keys = await keysInScope(store, rule, span.judgeFrom);
  const startedAt = performance.now();
  const alerts: Fired[] = [];
  let looked = 0;
  for (let at = 0; at < keys.length; at += KEYS_PER_READ) {
    const chunk = keys.slice(at, at + KEYS_PER_READ);
    for (const one of await past.read(store, chunk, span)) {
      if (performance.now() - startedAt > MAX_JUDGING_MS || alerts.length >= MAX_FIRED) break;
      alerts.push(...replayKey(past.kind, one, effective));
      looked++;
      await nextTurn();
    }
    if (looked < at + chunk.length) break;
  }
  const preview = answer(days, alerts, keys[0]?.total ?? 0, looked);
  return { ...preview, cut: preview.cut || (await missingPast(store, past, keys, span)) };
}

async function ofPlatform(store: Store, rule: RuleFields, days: number, nowMs: number): Promise<Preview> {
  const span = spanOf(days, nowMs);
  const keys = await keysInScope(store, rule, span.judgeFrom);
  const { alerts, looked } = await previewFleet(store, ruleOf(rule), keys, span, MAX_JUDGING_MS);
  return answer(days, alerts, keys[0]?.total ?? 0, looked);
}

function spanOf(days: number, nowMs: number): Span {
  const to = Math.floor(nowMs / 300_000) * 300;
  return { judgeFrom: to - days * DAY_SECONDS, to };
}

/**
 * Says so when the figures that are judged are kept for a shorter time than the days that were asked for. What was used is asked by
 * quarter hours: the row of the day in which the span begins lies before it, and in the first hours of a day it is all there is.
 */
async function missingPast(
  store: Store,
  { table }: PastKind,
  keys: readonly ScopedKey[],
  { judgeFrom }: Span,
): Promise<string> {
  const oldest = (of: string) =>
    `(SELECT toUnixTimestamp(min(start)) FROM ${of} WHERE key_id IN {key_ids:Array(String)} AND start >= toDateTime({from:UInt32}, 'UTC'))`;
  const [row] = await store.query<{ kept: number; used: number }>(
    `SELECT ${oldest(table)} AS kept, ${oldest('usage_quarter_hour')} AS used`,
    { key_ids: keys.map((key) => key.key_id), from: judgeFrom },
    EVALUATION_SETTINGS,
  );
  return row ? missingText(row) : '';
}

/** @param kept oldest figure of the kind, epoch seconds; 0 = there is none. used: oldest quarter hour with requests */
export function missingText({ kept, used }: { kept: number; used: number }): string {
  if (used === 0) return '';
  if (kept === 0) return 'figures of this kind are not stored any more for these days: nothing was looked at';
  if (used >= kept - (kept % DAY_SECONDS)) return '';
  const since = new Date(kept * 1000).toISOString().slice(0, 10);
  return `figures of this kind are stored since ${since}: the days before were not looked at`;
}

function answer(days: number, alerts: Fired[], inScope: number, looked: number): Preview {
  const sorted = alerts.sort((a, b) => b.at.localeCompare(a.at));
  const cut =
    alerts.length > MAX_FIRED
      ? `the newest ${MAX_FIRED} alerts are listed`
      : looked < inScope
        ? `looked at ${looked} of ${inScope} keys, those with the most requests`
        : '';
  return {
    days,
    fired: alerts.length,
    alerts: sorted.slice(0, MAX_FIRED),
    keys_in_scope: inScope,
    keys_looked_at: looked,
    cut,
  };
}

interface LimitRow {
  key_id: string;
  period: string;
  window_start: number;
  used: number;
  limit: number;
}

/** Windows of the last days in which a limit, as it stands now, reached a step. */
async function ofLimits(
  store: Store,
  rule: RuleFields,
  { settings, severity }: Effective<'near_limit'>,
  days: number,
  nowMs: number,
): Promise<Preview> {
  const { steps_percent, periods } = settings as SettingsOf<'near_limit'>;
  const rows = await store.query<LimitRow>(
    limitHistorySql(SCOPE),
    { ...scopeParams(rule), from: Math.floor(nowMs / 1000) - days * DAY_SECONDS, lowest: steps_percent[0]!, periods },
    EVALUATION_SETTINGS,
  );
  const alerts = rows.flatMap(({ key_id, period, window_start, used, limit }) =>
    steps_percent
      .filter((step) => (100 * used) / limit >= step)
      .map(
        (step): Fired => ({
          key_id,
          scope: period,
          at: new Date(window_start * 1000).toISOString(),
          ended_at: null,
          severity: severity ?? stepSeverity(step),
          summary: `${step} % of the limit per ${period} was reached in the window that began then: ${used} of ${limit} requests.`,
        }),
      ),
  );
  const preview = answer(
    days,
    alerts,
    new Set(rows.map((row) => row.key_id)).size,
    new Set(rows.map((row) => row.key_id)).size,
  );
  return periods.includes('burst')
    ? { ...preview, cut: preview.cut || 'seconds are not kept: bursts are left out' }
    : preview;
}

async function ofKeyEvents(store: Store, rule: RuleFields, days: number, nowMs: number): Promise<Preview> {
  const types = ALERTING_EVENTS.filter((type) => mappingOf({ type })?.kind === rule.kind);
  const rows = await store.query<{ key_id: string; at: string; type: KeyEvent['type']; data: string }>(
    `SELECT e.key_id AS key_id, e.at AS at, e.type AS type, e.data AS data
     FROM (SELECT * FROM key_events FINAL WHERE at >= fromUnixTimestamp64Milli({since:Int64}) AND type IN {types:Array(String)}) AS e
     INNER JOIN (SELECT key_id FROM keys FINAL WHERE ${SCOPE}) AS k ON k.key_id = e.key_id
     ORDER BY at DESC LIMIT ${MAX_FIRED + 1}`,
    { ...scopeParams(rule), since: nowMs - days * DAY_SECONDS * 1000, types },
  );
  const alerts = rows.map(({ key_id, at, type, data }): Fired => {
    const severity = rule.severity ?? keyEventSeverity({ type, data: JSON.parse(data) as KeyEvent['data'] });
    return { key_id, scope: mappingOf({ type })!.scope, at, ended_at: null, severity, summary: type };
  });
  const keys = new Set(rows.map((row) => row.key_id)).size;
  return answer(days, alerts, keys, keys);
}
