import type { Store } from '../clickhouse/store.ts';
import { writeNewEvents } from './events.ts';
import type { Wish } from './lifecycle.ts';
import { Policies, type PolicyRun } from './policies.ts';
import type { Policy } from './policy.ts';
import { because, type Candidate, policyCandidates } from './policy-candidates.ts';
import { sortByStep } from './policy-warnings.ts';
import type { Registry } from './registry.ts';
import { applyWishes, type WishOf } from './transitions.ts';

/** Keys that one run can have changed at most. */
export const MAX_RUN_KEYS = 100_000;

export interface RunOrder {
  /** The same for every repeat of the same run, e.g. after a kill. */
  runId: string;
  actor: string;
  /** Why the silence of keys proves nothing at the moment, in words; '' = it does (reporting-gap.ts). */
  reportingGap: () => Promise<string>;
}

/**
 * Runs a policy over all keys: warns those that are to be warned and acts on those that were. Repeating a run, or
 * two at once, changes each key once.
 */
export async function runPolicy(registry: Registry, policy: Policy, order: RunOrder): Promise<PolicyRun> {
  const nowMs = Date.now();
  const policies = new Policies(registry.store);
  const candidates = await policyCandidates(registry.store, policy, nowMs, policy.max_per_run);
  const matched = candidates[0]?.matched ?? 0;
  const run: PolicyRun = {
    run_id: order.runId,
    policy_id: policy.policy_id,
    organization_id: policy.organization_id,
    actor: order.actor,
    started_at: new Date(nowMs).toISOString(),
    finished_at: null,
    outcome: 'running',
    matched,
    warned: 0,
    changed: 0,
    detail: '',
  };
  if (matched > policy.max_per_run) {
    run.detail = `${matched} keys match, more than the ${policy.max_per_run} of max_per_run: nothing was done`;
    return finish(policies, run, 'stopped');
  }
  if (matched > 0 && policy.kind === 'unused') run.detail = await order.reportingGap();
  if (run.detail !== '') return finish(policies, run, 'stopped');
  if (matched > 0) await policies.noteRun(run);
  const { warnings, act } = await sortByStep(registry.store, policy, candidates, nowMs);
  const warned = await writeNewEvents(registry.store, warnings);
  await registry.handOver(warned);
  run.warned = warned.length;
  const wishes = act.map((key) => wishOf(policy, key, nowMs));
  await applyWishes(registry, wishes, { actor: `policy:${policy.policy_id}`, runId: run.run_id });
  run.changed = (await keysOfRun(registry.store, run.run_id)).length;
  return finish(policies, run, 'done');
}

/** A run that met nothing is not worth a row: a policy runs every few minutes. */
async function finish(policies: Policies, run: PolicyRun, outcome: PolicyRun['outcome']): Promise<PolicyRun> {
  const finished: PolicyRun = { ...run, outcome, finished_at: new Date().toISOString() };
  if (run.matched > 0) await policies.noteRun(finished);
  return finished;
}

function wishOf(policy: Policy, key: Candidate, nowMs: number): WishOf {
  const reason = `policy "${policy.name}": ${because(policy, key, nowMs)}`;
  const wish: Wish = policy.kind === 'expired' ? { kind: 'expire' } : { kind: 'deactivate', reason };
  return { keyId: key.key_id, version: key.version, wish };
}

/** Keys whose newest change is that of the run: nobody touched them since. */
async function keysOfRun(store: Store, runId: string): Promise<{ key_id: string; version: number }[]> {
  return store.queryWriter(
    `SELECT key_id, version FROM keys FINAL WHERE run_id = {run_id:String} ORDER BY key_id LIMIT ${MAX_RUN_KEYS}`,
    { run_id: runId },
  );
}

export interface Undone {
  reactivated: number;
  /** Expired meanwhile, or changed by somebody while this ran. */
  left: number;
}

/** Takes a whole run back: only keys that it changed and that nobody changed since. A repeat finds none. */
export async function undoRun(registry: Registry, run: PolicyRun, actor: string): Promise<Undone> {
  const keys = await keysOfRun(registry.store, run.run_id);
  const wish: Wish = { kind: 'reactivate', reason: `undo of policy run ${run.run_id}` };
  const wishes = keys.map((key) => ({ keyId: key.key_id, version: key.version, wish }));
  const { changed, left, busy } = await applyWishes(registry, wishes, { actor });
  const undone: PolicyRun = { ...run, outcome: 'undone', detail: `${changed} of ${run.changed} keys reactivated` };
  if (changed > 0 || run.outcome !== 'undone') await new Policies(registry.store).noteRun(undone);
  return { reactivated: changed, left: left + busy.length };
}
