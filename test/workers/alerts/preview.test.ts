import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseConfig } from '../../../ingest/config.ts';
import { ensureBaselines } from '../../../workers/alerts/evaluation/baselines.ts';
import { hoursOf } from '../../../workers/alerts/evaluation/key-history.ts';
import { writeProgress } from '../../../workers/alerts/evaluation/progress.ts';
import { previewRule } from '../../../workers/alerts/rules/preview.ts';
import { RuleBody } from '../../../workers/alerts/rules/settings.ts';
import { tryRule } from '../../../workers/alerts/rules/try-rule.ts';
import type { Store } from '../../../workers/clickhouse/store.ts';
import { writeEvents } from '../../../workers/keys/events.ts';
import { migratedStore } from '../../support/migrated-store.ts';
import { SeededHistory } from './evaluation/seeded-history.ts';

const DAY_MS = 86_400_000;
const HOUR_SECONDS = 3_600;
/** Two buckets after a full hour. */
const NOW_SECONDS = Math.floor(Date.now() / 3_600_000) * HOUR_SECONDS - 2 * HOUR_SECONDS + 600;

let store: Store;
beforeAll(async () => {
  store = await migratedStore(parseConfig({}));
  const yesterday = new Date(Math.floor(Date.now() / DAY_MS) * DAY_MS - DAY_MS).toISOString();
  await store.insertRows('keys', [{ key_id: 'k', status: 'active', version: 1, limit_per_day: 100 }]);
  await store.insertRows('usage_day', [{ key_id: 'k', start: yesterday, requests: 95 }]);
  const event = { id: 'e', at: new Date(Date.now() - DAY_MS).toISOString(), key_id: 'k', organization_id: '' };
  await writeEvents(store, [{ ...event, type: 'key.policy_warning', data: { days_left: 1 } }]);
  const history = new SeededHistory(store, NOW_SECONDS - 600);
  await history.keys(['k'], 40);
  for (const bucket of [0, 1]) await history.bucket(bucket, { k: { requests: 40, server_errors: 18 } });
});
afterAll(() => store.close());

const rule = (kind: string, fields: object = {}) => RuleBody.parse({ name: 'r', kind, ...fields });
const preview = (kind: string, fields: object = {}) => previewRule(store, rule(kind, fields), 2, Date.now());
const severities = async (kind: string, fields: object = {}) =>
  (await preview(kind, fields)).alerts.map((alert) => `${alert.scope} ${alert.severity}`).sort();

test('limits: as loud as their step, or as the rule says', async () => {
  expect(await severities('near_limit')).toEqual(['day info', 'day warning']);
  expect(await severities('near_limit', { severity: 'critical' })).toEqual(['day critical', 'day critical']);
});

test('notices about keys: as loud as the event, or as the rule says', async () => {
  expect(await severities('key_deactivated')).toEqual(['warning warning']);
  expect(await severities('key_deactivated', { severity: 'info' })).toEqual(['warning info']);
});

test.each(['near_limit', 'key_deactivated', 'error_rate', 'platform'])(
  'a rule of %s that is off tells nothing',
  async (kind) => {
    expect(await preview(kind, { enabled: false })).toMatchObject({
      fired: 0,
      alerts: [],
      cut: 'the rule is off: it tells nothing',
    });
  },
);

const tried = (fields: object = {}) =>
  tryRule(store, rule('error_rate', { settings: { scopes: ['server_errors'] }, ...fields }), 'k');
const baselines = async () => (await store.query<{ hour: string }>('SELECT hour FROM alert_baselines')).length;

test('before any window was judged a rule is tried on none, and makes no baselines', async () => {
  expect(await tried()).toEqual({ at: null, judged: [] });
  expect(await baselines()).toBe(0);
});

test('a rule is tried on the window that was judged last, with its baselines; one that is off finds nothing in it', async () => {
  await ensureBaselines(store, hoursOf(NOW_SECONDS - 3 * HOUR_SECONDS, NOW_SECONDS));
  await writeProgress(store, 'buckets', NOW_SECONDS * 1000);
  const made = await baselines();
  const levels = async (fields: object) => (await tried(fields)).judged.map((one) => one.level);
  expect((await tried()).at).toBe(new Date(NOW_SECONDS * 1000).toISOString());
  expect(await levels({})).toContain('breach');
  expect(await levels({ enabled: false })).not.toContain('breach');
  expect(await baselines()).toBe(made);
});
