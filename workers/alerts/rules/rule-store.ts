import { randomUUID } from 'node:crypto';
import type { Store } from '../../clickhouse/store.ts';
import type { Rule } from './rule.ts';
import type { RuleFields } from './settings.ts';

/** Rules of one store at most: all are read by every evaluation. */
export const MAX_RULES = 2_000;

/** Raised for one rule too many. */
export class TooManyRules extends Error {}

type RuleRow = Omit<Rule, 'settings' | 'severity'> & { settings: string; severity: string };

const COLUMNS = `rule_id, organization_id, environment, plan, key_id, kind, name, enabled, severity, quiet_minutes,
  repeat_minutes, settings, source, created_at, updated_at`;

/** The stored rules. */
export class Rules {
  readonly #store: Store;

  constructor(store: Store) {
    this.#store = store;
  }

  /** @param organizationId only those of this organization; '' = all */
  async list(organizationId = ''): Promise<Rule[]> {
    const rows = await this.#store.queryWriter<RuleRow>(
      `SELECT ${COLUMNS} FROM alert_rules FINAL
       WHERE NOT deleted AND ({organization_id:String} = '' OR organization_id = {organization_id:String})
       ORDER BY kind, created_at, rule_id LIMIT ${MAX_RULES}`,
      { organization_id: organizationId },
    );
    return rows.map((row) => ({
      ...row,
      enabled: Boolean(row.enabled),
      settings: JSON.parse(row.settings) as Rule['settings'],
      severity: row.severity === '' ? null : (row.severity as NonNullable<Rule['severity']>),
    }));
  }

  async find(ruleId: string): Promise<Rule | undefined> {
    return (await this.list()).find((rule) => rule.rule_id === ruleId);
  }

  /** @throws {TooManyRules} */
  async create(fields: RuleFields): Promise<Rule> {
    if ((await this.list()).length >= MAX_RULES) throw new TooManyRules(`there are ${MAX_RULES} rules already`);
    const now = new Date().toISOString();
    return this.put({ ...fields, rule_id: randomUUID(), source: 'api', created_at: now, updated_at: now });
  }

  change(present: Rule, fields: RuleFields): Promise<Rule> {
    return this.put({ ...present, ...fields, updated_at: new Date().toISOString() });
  }

  async remove(present: Rule): Promise<void> {
    await this.#write({ ...present, updated_at: new Date().toISOString() }, true);
  }

  /** Writes a rule under the id it has. */
  async put(rule: Rule): Promise<Rule> {
    await this.#write(rule, false);
    return rule;
  }

  async #write(rule: Rule, deleted: boolean): Promise<void> {
    const row = { ...rule, settings: JSON.stringify(rule.settings), severity: rule.severity ?? '' };
    await this.#store.insertRows('alert_rules', [{ ...row, deleted, version: Date.now() }]);
  }
}
