/** What a rules file owns is created, changed and deleted to match it; other rules are left alone. */
import { createHash } from 'node:crypto';
import type { Store } from '../../clickhouse/store.ts';
import type { Rule } from './rule.ts';
import { Rules } from './rule-store.ts';
import type { RuleFields } from './settings.ts';

export interface Applied {
  created: number;
  updated: number;
  deleted: number;
  unchanged: number;
}

/** The same rule of the file has the same id at every start: it is told by its name. */
const fileRuleId = (name: string): string => `file_${createHash('sha256').update(name).digest('hex').slice(0, 24)}`;

/** Makes the stored rules of the file as the file has them. Repeating it changes nothing. */
export async function applyRules(store: Store, wanted: readonly RuleFields[]): Promise<Applied> {
  const rules = new Rules(store);
  const present = new Map(
    (await rules.list()).filter((rule) => rule.source === 'file').map((rule) => [rule.rule_id, rule]),
  );
  const result: Applied = { created: 0, updated: 0, deleted: 0, unchanged: 0 };
  const now = new Date().toISOString();
  for (const fields of wanted) {
    const rule_id = fileRuleId(fields.name);
    const before = present.get(rule_id);
    present.delete(rule_id);
    if (before && isSame(before, fields)) {
      result.unchanged++;
      continue;
    }
    result[before ? 'updated' : 'created']++;
    await rules.put({ ...fields, rule_id, source: 'file', created_at: before?.created_at ?? now, updated_at: now });
  }
  for (const rule of present.values()) {
    result.deleted++;
    await rules.remove(rule);
  }
  return result;
}

function isSame(rule: Rule, fields: RuleFields): boolean {
  return Object.entries(fields).every(
    ([name, value]) => JSON.stringify(rule[name as keyof Rule]) === JSON.stringify(value),
  );
}
