import type { Store } from '../clickhouse/store.ts';
import { type KeyEvent, writeNewEvents } from './events.ts';
import type { Wish } from './lifecycle.ts';
import { Policies, type PolicyRun } from './policies.ts';
import { nextWarning, type Policy } from './policy.ts';
import { because, type Candidate, policyCandidates } from './policy-candidates.ts';
import type { Registry } from './registry.ts';
import { applyWishes, type WishOf } from './transitions.ts';

const LOOKUP_CHUNK = 1_000;
/** Keys that one run can have changed at most. */
export const MAX_RUN_KEYS = 100_000;

export interface RunOrder {
  /** The same for every repeat of the same run, e.g. after a kill. */
  runId: string;
  actor: string;
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

/** A key that was changed in between starts anew: its version is part of the warning's id. */
const warningId = (policy: Policy, key: Candidate, days: number) =>
  `${key.key_id}@policy@${policy.policy_id}@${key.version}@${key.last_used_ms}@${days}`;

async function sortByStep(
  store: Store,
  policy: Policy,
  candidates: readonly Candidate[],
  nowMs: number,
): Promise<{ warnings: KeyEvent[]; act: Candidate[] }> {
  const sent = policy.warn_days.length === 0 ? new Map() : await warningsSent(store, policy, candidates);
  const warnings: KeyEvent[] = [];
  const act: Candidate[] = [];
  for (const key of candidates) {
    const warnedAt = new Map<number, number>();
    for (const days of policy.warn_days) {
      const at = sent.get(warningId(policy, key, days));
      if (at !== undefined) warnedAt.set(days, at);
    }
    const step = nextWarning(policy.warn_days, warnedAt, nowMs);
    if (step.kind === 'act') act.push(key);
    else if (step.kind === 'warn') warnings.push(warningOf(policy, key, step, nowMs));
  }
  return { warnings, act };
}

function warningOf(policy: Policy, key: Candidate, step: { days: number; actsAtMs: number }, nowMs: number): KeyEvent {
  return {
    id: warningId(policy, key, step.days),
    at: new Date(nowMs).toISOString(),
    key_id: key.key_id,
    organization_id: key.organization_id,
    type: policy.kind === 'unused' ? 'key.unused' : 'key.policy_warning',
    data: {
      name: key.name,
      policy_id: policy.policy_id,
      policy: policy.name,
      kind: policy.kind,
      because: because(policy, key, nowMs),
      days_left: step.days,
      acts_at: new Date(step.actsAtMs).toISOString(),
    },
  };
}

async function warningsSent(
  store: Store,
  policy: Policy,
  candidates: readonly Candidate[],
): Promise<Map<string, number>> {
  const sent = new Map<string, number>();
  for (let at = 0; at < candidates.length; at += LOOKUP_CHUNK) {
    const chunk = candidates.slice(at, at + LOOKUP_CHUNK);
    const rows = await store.queryWriter<{ id: string; at_ms: number }>(
      `SELECT id, toUnixTimestamp64Milli(min(at)) AS at_ms FROM key_events
       WHERE key_id IN {key_ids:Array(String)} AND id IN {ids:Array(String)} GROUP BY id`,
      {
        key_ids: chunk.map((key) => key.key_id),
        ids: chunk.flatMap((key) => policy.warn_days.map((days) => warningId(policy, key, days))),
      },
    );
    for (const row of rows) sent.set(row.id, row.at_ms);
  }
  return sent;
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
