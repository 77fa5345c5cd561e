import type { Store } from '../../clickhouse/store.ts';
import { KINDS } from '../evaluation/evaluate.ts';
import { noFacts, readKeyFacts } from '../evaluation/key-facts.ts';
import { readHistories } from '../evaluation/key-history.ts';
import { readProgress } from '../evaluation/progress.ts';
import { BUCKET_MS } from '../evaluation/settled.ts';
import { NotReplayable } from './preview.ts';
import { effectiveOf, type Rule } from './rule.ts';
import type { RuleFields } from './settings.ts';

export interface Tried {
  scope: string;
  /** breach: it would fire now; hold: an open alert would stay open; no_data: too little to say. */
  level: string;
  severity: string;
  summary: string;
}

/**
 * How a rule judges one key in the newest window that was judged for the alerts, without writing anything: later windows may lack counts,
 * and have no baselines yet.
 * @returns nothing, and null as its time, as long as no window was judged
 * @throws {NotReplayable}
 */
export async function tryRule(
  store: Store,
  rule: RuleFields,
  keyId: string,
): Promise<{ at: string | null; judged: Tried[] }> {
  const kind = KINDS.find((one) => one.kind === rule.kind);
  if (!kind) throw new NotReplayable(`kind: ${rule.kind} is not judged on traffic`);
  const judgedMs = await readProgress(store, 'buckets');
  if (judgedMs === undefined) return { at: null, judged: [] };
  const step = kind.everyMs ?? BUCKET_MS;
  const atMs = Math.floor(judgedMs / step) * step;
  const histories = await readHistories(store, [keyId], atMs);
  await kind.addMore?.(store, histories, atMs);
  const facts = (await readKeyFacts(store, [keyId])).get(keyId) ?? noFacts(keyId);
  const effective = effectiveOf(rule.kind, {
    ...rule,
    rule_id: 'test',
    source: 'api',
    created_at: '',
    updated_at: '',
  } satisfies Rule);
  const judged = kind.judge({ keyId, facts, history: histories.get(keyId)!, effective, atMs });
  return {
    at: new Date(atMs).toISOString(),
    judged: judged.map(({ scope, level, severity, describe }) => ({
      scope,
      level: effective.enabled ? level : 'clear',
      severity: effective.severity ?? severity,
      summary: describe().summary,
    })),
  };
}
