import { randomUUID } from 'node:crypto';
import type { Store } from '../clickhouse/store.ts';
import type { Policy } from './policy.ts';

/** Policies of one store at most: each is one query per tick. */
const MAX_POLICIES = 500;

type PolicyRow = Omit<Policy, 'settings'> & { settings: string };

/** What is given when a policy is made or changed. */
export type PolicyFields = Omit<Policy, 'policy_id' | 'created_at' | 'updated_at'>;

/** One run of a policy over all keys. */
export interface PolicyRun {
  run_id: string;
  policy_id: string;
  /** Of the policy; '' = every organization. */
  organization_id: string;
  actor: string;
  started_at: string;
  finished_at: string | null;
  /** `running` for ever: its process was killed; the keys it changed can still be undone. */
  outcome: 'running' | 'done' | 'stopped' | 'undone';
  matched: number;
  warned: number;
  changed: number;
  detail: string;
}

/** Raised for one policy too many. */
export class TooManyPolicies extends Error {}

/** The stored policies and their runs. */
export class Policies {
  readonly #store: Store;

  constructor(store: Store) {
    this.#store = store;
  }

  /** @param organizationId only the policies of this organization; '' = all */
  async list(organizationId = ''): Promise<Policy[]> {
    const rows = await this.#store.queryWriter<PolicyRow>(
      `SELECT policy_id, organization_id, environment, plan, kind, name, enabled, settings, exempt_key_ids, warn_days,
              max_per_run, created_at, updated_at
       FROM policies FINAL
       WHERE NOT deleted AND ({organization_id:String} = '' OR organization_id = {organization_id:String})
       ORDER BY created_at, policy_id LIMIT ${MAX_POLICIES}`,
      { organization_id: organizationId },
    );
    return rows.map((row) => ({ ...row, settings: JSON.parse(row.settings) }));
  }

  async find(policyId: string): Promise<Policy | undefined> {
    return (await this.list()).find((policy) => policy.policy_id === policyId);
  }

  /** @throws {TooManyPolicies} */
  async create(fields: PolicyFields): Promise<Policy> {
    if ((await this.list()).length >= MAX_POLICIES) throw new TooManyPolicies(`there are ${MAX_POLICIES} already`);
    const now = new Date().toISOString();
    const policy: Policy = { ...fields, policy_id: randomUUID(), created_at: now, updated_at: now };
    await this.#write(policy, false);
    return policy;
  }

  async change(present: Policy, fields: PolicyFields): Promise<Policy> {
    const policy: Policy = { ...present, ...fields, updated_at: new Date().toISOString() };
    await this.#write(policy, false);
    return policy;
  }

  async remove(present: Policy): Promise<void> {
    await this.#write({ ...present, updated_at: new Date().toISOString() }, true);
  }

  async #write(policy: Policy, deleted: boolean): Promise<void> {
    const settings = JSON.stringify(policy.settings);
    await this.#store.insertRows('policies', [{ ...policy, settings, deleted, version: Date.now() }]);
  }

  /** Notes how a run stands. A later stage always replaces an earlier one. */
  async noteRun(run: PolicyRun): Promise<void> {
    const stage = { running: 1, stopped: 2, done: 2, undone: 3 }[run.outcome];
    await this.#store.insertRows('policy_runs', [{ ...run, version: stage }]);
  }

  /** Newest first. */
  async runs(policyId: string, limit: number): Promise<PolicyRun[]> {
    return this.#store.queryWriter<PolicyRun>(
      `SELECT * EXCEPT version FROM policy_runs FINAL WHERE policy_id = {policy_id:String}
       ORDER BY started_at DESC, run_id LIMIT {limit:UInt32}`,
      { policy_id: policyId, limit },
    );
  }

  async findRun(runId: string): Promise<PolicyRun | undefined> {
    const [run] = await this.#store.queryWriter<PolicyRun>(
      'SELECT * EXCEPT version FROM policy_runs FINAL WHERE run_id = {run_id:String}',
      { run_id: runId },
    );
    return run;
  }
}
