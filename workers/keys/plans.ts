import type { Store } from '../clickhouse/store.ts';
import type { RegisteredKey } from './key.ts';

/** Plans of one store at most: they are read together with every page of keys. */
export const MAX_PLANS = 1_000;

export type PlanLimits = Pick<RegisteredKey, 'limit_per_minute' | 'limit_per_day' | 'limit_per_month' | 'limit_burst'>;

/** Limits that many keys share by the name of their plan. */
export interface Plan extends PlanLimits {
  /** '' = for every organization that has no plan of this name itself. */
  organization_id: string;
  plan: string;
  description: string;
  updated_at: string;
}

/** The plan a key of the organization means by this name; undefined when there is none. */
export function planOf(plans: readonly Plan[], organizationId: string, name: string): Plan | undefined {
  const named = plans.filter((plan) => plan.plan === name);
  return (
    named.find((plan) => plan.organization_id === organizationId) ?? named.find((plan) => plan.organization_id === '')
  );
}

/**
 * Whether a key of the organization may have this plan. While no plan is defined for it, plans are only names.
 */
export function isKnownPlan(plans: readonly Plan[], organizationId: string, name: string): boolean {
  const own = plans.filter((plan) => plan.organization_id === '' || plan.organization_id === organizationId);
  return name === '' || own.length === 0 || planOf(own, organizationId, name) !== undefined;
}

/** Limits that hold for a key: its own, else those of its plan. */
export function effectiveLimits(key: PlanLimits, plan: PlanLimits | undefined): PlanLimits {
  return {
    limit_per_minute: key.limit_per_minute ?? plan?.limit_per_minute ?? null,
    limit_per_day: key.limit_per_day ?? plan?.limit_per_day ?? null,
    limit_per_month: key.limit_per_month ?? plan?.limit_per_month ?? null,
    limit_burst: key.limit_burst ?? plan?.limit_burst ?? null,
  };
}

/** The stored plans. */
export class Plans {
  readonly #store: Store;

  constructor(store: Store) {
    this.#store = store;
  }

  /** @param organizationId those of this organization and the common ones; '' = all */
  async list(organizationId = ''): Promise<Plan[]> {
    return this.#store.query<Plan>(
      `SELECT organization_id, plan, description, limit_per_minute, limit_per_day, limit_per_month, limit_burst, updated_at
       FROM plans FINAL
       WHERE NOT deleted AND ({organization_id:String} = '' OR organization_id IN ('', {organization_id:String}))
       ORDER BY organization_id, plan LIMIT ${MAX_PLANS}`,
      { organization_id: organizationId },
    );
  }

  async put(plan: Omit<Plan, 'updated_at'>): Promise<Plan> {
    const stored: Plan = { ...plan, updated_at: new Date().toISOString() };
    await this.#store.insertRows('plans', [{ ...stored, deleted: false, version: Date.now() }]);
    return stored;
  }

  async remove(plan: Plan): Promise<void> {
    const updated_at = new Date().toISOString();
    await this.#store.insertRows('plans', [{ ...plan, updated_at, deleted: true, version: Date.now() }]);
  }
}
