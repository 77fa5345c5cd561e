import type { RegisteredKey } from './key.ts';
import { Policies } from './policies.ts';
import { inScope, type Policy } from './policy.ts';
import type { Registry } from './registry.ts';
import type { Acting } from './transitions.ts';
import { applyWish } from './transitions.ts';

/** Keys by the SHA-256 of their secret, deleted ones included; of up to 1,000 hashes. */
export async function keysByHash(registry: Registry, hashes: readonly string[]): Promise<Map<string, RegisteredKey>> {
  if (hashes.length === 0) return new Map();
  const rows = await registry.store.queryWriter<RegisteredKey>(
    'SELECT * FROM keys FINAL WHERE sha256 IN {hashes:Array(String)} ORDER BY deleted DESC LIMIT 10000',
    { hashes },
  );
  // Where a deleted and a live key share a hash, the live one is written last and counts.
  return new Map(rows.map((row) => [row.sha256, row]));
}

/**
 * Notes that a key's secret leaked, once, and deactivates the key if a policy says so at once. A policy with warnings
 * warns at its next run.
 * @param reason where it was found; never the secret itself
 * @throws {KeyConflict} when another writer holds the key
 */
export async function reportLeak(registry: Registry, keyId: string, reason: string, acting: Acting): Promise<void> {
  const { after } = await registry.update(keyId, (present) => {
    if (present.leaked_at !== null || present.deleted || present.version === 0) return undefined;
    return { ...acting, action: 'key.leaked', reason, fields: { leaked_at: new Date().toISOString() } };
  });
  const policy = leakPolicy(after, await new Policies(registry.store).list());
  if (!policy || after.deleted || after.status !== 'active') return;
  const wish = { kind: 'deactivate' as const, reason: `policy "${policy.name}": ${reason}` };
  await applyWish(registry, keyId, wish, { actor: `policy:${policy.policy_id}` });
}

/** The policy that deactivates this key now; undefined when none does. */
function leakPolicy(
  key: Pick<RegisteredKey, 'key_id' | 'organization_id' | 'environment' | 'plan'>,
  policies: readonly Policy[],
): Policy | undefined {
  return policies.find(
    (policy) =>
      policy.kind === 'leaked' &&
      policy.enabled &&
      policy.warn_days.length === 0 &&
      inScope(policy, key) &&
      !policy.exempt_key_ids.includes(key.key_id),
  );
}
