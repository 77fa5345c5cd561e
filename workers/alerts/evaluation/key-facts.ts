import type { Store } from '../../clickhouse/store.ts';
import { USED_BY } from '../../keys/used-by.ts';

/** What the evaluation needs to know of a key besides its traffic. */
export interface KeyFacts {
  key_id: string;
  organization_id: string;
  environment: string;
  plan: string;
  name: string;
  /** False for keys that are inactive, expired or deleted: nobody expects traffic of them. */
  isActive: boolean;
}

const CHUNK = 5_000;

/** A key of which nothing is known, and the platform as such. */
export const noFacts = (keyId: string): KeyFacts => ({
  key_id: keyId,
  organization_id: '',
  environment: '',
  plan: '',
  name: '',
  isActive: true,
});

/** Facts of these keys; keys nobody registered belong to the organization of the token that reported them. */
export async function readKeyFacts(store: Store, keyIds: readonly string[]): Promise<Map<string, KeyFacts>> {
  const found = new Map<string, KeyFacts>();
  for (let at = 0; at < keyIds.length; at += CHUNK) {
    const chunk = keyIds.slice(at, at + CHUNK);
    const registered = await store.query<Omit<KeyFacts, 'isActive'> & { active: boolean }>(
      `SELECT key_id, organization_id, environment, plan, name, status = 'active' AND NOT deleted AS active
       FROM keys FINAL WHERE key_id IN {key_ids:Array(String)}`,
      { key_ids: chunk },
    );
    for (const { active, ...row } of registered) found.set(row.key_id, { ...row, isActive: active });
    const others = chunk.filter((keyId) => !found.has(keyId));
    if (others.length === 0) continue;
    const discovered = await store.query<{ key_id: string; organization_id: string }>(
      `SELECT key_id, used_by AS organization_id
       FROM (SELECT key_id, ${USED_BY} AS used_by FROM key_totals WHERE key_id IN {key_ids:Array(String)} GROUP BY key_id)`,
      { key_ids: others },
    );
    for (const row of discovered) found.set(row.key_id, { ...noFacts(row.key_id), ...row });
  }
  return found;
}
