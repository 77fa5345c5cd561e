import type { Store } from '../../clickhouse/store.ts';
import { ensureBaselines } from '../evaluation/baselines.ts';
import { KINDS } from '../evaluation/evaluate.ts';
import { noFacts, readKeyFacts } from '../evaluation/key-facts.ts';
import { HISTORY_BUCKETS, hoursOf, readHistories } from '../evaluation/key-history.ts';
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

/** How a rule judges one key in the newest whole window, without writing anything. @throws {NotReplayable} */
export async function tryRule(
  store: Store,
  rule: RuleFields,
  keyId: string,
  nowMs: number,
): Promise<{ at: string; judged: Tried[] }> {
  const kind = KINDS.find((one) => one.kind === rule.kind);
  if (!kind) throw new NotReplayable(`kind: ${rule.kind} is not judged on traffic`);
  const step = kind.everyMs ?? BUCKET_MS;
  const atMs = Math.floor(nowMs / step) * step;
  await ensureBaselines(store, hoursOf(atMs / 1000 - HISTORY_BUCKETS * 300, atMs / 1000));
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
