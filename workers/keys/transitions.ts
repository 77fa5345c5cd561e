import type { RegisteredKey } from './key.ts';
import { decide, type Outcome, type Wish } from './lifecycle.ts';
import { CHANGE_CHUNK, type Registry } from './registry.ts';

/** Who wants a transition, and as part of what. */
export interface Acting {
  /** Id of the token, or the name of the schedule or policy. */
  actor: string;
  runId?: string;
}

export interface Transitioned {
  key: RegisteredKey;
  outcome: Outcome;
}

/**
 * Applies a wish to one key under its lock. A repeat finds the key as wished and writes nothing.
 * @param prepare looks at the key first (may throw) and names fields to be stored together with the transition
 * @throws {KeyConflict} when another writer holds the key
 */
export async function applyWish(
  registry: Registry,
  keyId: string,
  wish: Wish,
  acting: Acting,
  prepare: (present: RegisteredKey) => Partial<RegisteredKey> = () => ({}),
): Promise<Transitioned> {
  let outcome: Outcome = { kind: 'unchanged' };
  const { after } = await registry.update(keyId, (present) => {
    const more = prepare(present);
    outcome = decide(present, wish, Date.now());
    if (outcome.kind !== 'changed') return undefined;
    return { ...acting, action: outcome.action, reason: outcome.reason, fields: { ...more, ...outcome.fields } };
  });
  return { key: after, outcome };
}

export interface WishOf {
  keyId: string;
  wish: Wish;
  /** Leave the key alone unless it still has this version. */
  version?: number;
}

export interface BatchResult {
  changed: number;
  /** Held by another writer at the moment; the next sweep meets them again. */
  busy: string[];
  /** Changed by somebody since it was chosen, already as wished, or refused. */
  left: number;
}

/**
 * Applies many wishes, chunk by chunk; every key at most once, however many processes do the same at once.
 * @param allow last word under the lock; false leaves the key alone
 */
export async function applyWishes(
  registry: Registry,
  wishes: readonly WishOf[],
  acting: Acting,
  allow: (present: RegisteredKey) => boolean = () => true,
): Promise<BatchResult> {
  const result: BatchResult = { changed: 0, busy: [], left: 0 };
  for (let at = 0; at < wishes.length; at += CHANGE_CHUNK) {
    const chunk = new Map(wishes.slice(at, at + CHANGE_CHUNK).map((wish) => [wish.keyId, wish]));
    const { updated, conflicts } = await registry.updateMany([...chunk.keys()], (present) => {
      const { wish, version } = chunk.get(present.key_id)!;
      if (present.version === 0 || (version !== undefined && version !== present.version)) return undefined;
      if (!allow(present)) return undefined;
      const outcome = decide(present, wish, Date.now());
      if (outcome.kind !== 'changed') return undefined;
      return { ...acting, action: outcome.action, reason: outcome.reason, fields: outcome.fields };
    });
    const changed = updated.filter((update) => update.changed).length;
    result.changed += changed;
    result.busy.push(...conflicts.keys());
    result.left += updated.length - changed;
  }
  return result;
}
