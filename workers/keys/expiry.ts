import type { Queue } from 'bullmq';
import type { RegisteredKey } from './key.ts';
import { type LifecycleJob, scheduleExpiries } from './lifecycle-queue.ts';
import { Policies } from './policies.ts';
import { expiresByItself } from './policy.ts';
import { CHANGE_CHUNK, KeyConflict, type Registry } from './registry.ts';
import { applyWishes } from './transitions.ts';

/** Name of the actor in the audit. */
const EXPIRY_ACTOR = 'schedule:expiry';
/** Keys found by one query of a sweep; more follow in the next query. */
const OVERDUE_PAGE = 100_000;
/** A sweep adds jobs for what expires until well after the next one. */
const SOON_MS = 5 * 60_000;
const SOON_KEYS = 20_000;
/** Keys that expire at the same moment are changed together. */
const GATHER_MS = 50;

type Overdue = Pick<RegisteredKey, 'key_id' | 'organization_id' | 'environment' | 'plan'>;

/** Expires the given keys if they are due and no policy exempts them. @returns those that another writer held */
async function expireKeys(registry: Registry, keyIds: readonly string[]): Promise<Set<string>> {
  const policies = await new Policies(registry.store).list();
  const wishes = keyIds.map((keyId) => ({ keyId, wish: { kind: 'expire' as const } }));
  const allow = (key: RegisteredKey) => expiresByItself(key, policies);
  return new Set((await applyWishes(registry, wishes, { actor: EXPIRY_ACTOR }, allow)).busy);
}

/** Finds every key past its expiry and still active, and expires it. @returns how many were due */
export async function sweepExpiries(registry: Registry, nowMs: number): Promise<number> {
  const policies = await new Policies(registry.store).list();
  let due = 0;
  let after = '';
  for (;;) {
    const page = await overdueKeys(registry, nowMs, after);
    const keyIds = page.filter((key) => expiresByItself(key, policies)).map((key) => key.key_id);
    if (keyIds.length > 0) await expireKeys(registry, keyIds);
    due += keyIds.length;
    if (page.length < OVERDUE_PAGE) return due;
    after = page.at(-1)!.key_id;
  }
}

/** Up to {@link OVERDUE_PAGE} keys after `after` that are active past their expiry. */
export async function overdueKeys(registry: Registry, nowMs: number, after: string): Promise<Overdue[]> {
  return registry.store.queryWriter<Overdue>(
    `SELECT key_id, organization_id, environment, plan FROM keys FINAL
     WHERE status = 'active' AND NOT deleted AND expires_at <= fromUnixTimestamp64Milli({now:Int64})
       AND key_id > {after:String}
     ORDER BY key_id LIMIT ${OVERDUE_PAGE}`,
    { now: nowMs, after },
  );
}

/** Adds the jobs of what expires soon: those whose expiry was too far away when it was written, or lost with Redis. */
export async function scheduleSoon(registry: Registry, queue: Queue<LifecycleJob>, nowMs: number): Promise<void> {
  const keys = await registry.store.queryWriter<{ key_id: string; expires_at: string }>(
    `SELECT key_id, expires_at FROM keys FINAL
     WHERE status = 'active' AND NOT deleted AND expires_at > fromUnixTimestamp64Milli({now:Int64})
       AND expires_at <= fromUnixTimestamp64Milli({until:Int64})
     ORDER BY expires_at LIMIT ${SOON_KEYS}`,
    { now: nowMs, until: nowMs + SOON_MS },
  );
  await scheduleExpiries(queue, keys, nowMs);
}

/** Gathers the expiries that come due together, so that ten thousand keys that end at midnight end in seconds. */
export class ExpiryGatherer {
  readonly #registry: Registry;
  #waiting = new Set<string>();
  #next: Promise<Set<string>> | undefined;

  constructor(registry: Registry) {
    this.#registry = registry;
  }

  /** @throws {KeyConflict} when another writer holds the key at the moment */
  async expire(keyId: string): Promise<void> {
    this.#waiting.add(keyId);
    this.#next ??= this.#flush();
    if ((await this.#next).has(keyId)) throw new KeyConflict('the key is being changed by another request');
  }

  async #flush(): Promise<Set<string>> {
    await new Promise((resolve) => setTimeout(resolve, GATHER_MS));
    const keyIds = [...this.#waiting];
    this.#waiting = new Set();
    this.#next = undefined;
    return expireKeys(this.#registry, keyIds);
  }
}

/** Jobs of one worker that may run at once: those that wait to be gathered cost nothing. */
export const EXPIRY_CONCURRENCY = CHANGE_CHUNK / 4;
