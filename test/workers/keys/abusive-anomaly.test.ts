import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type AlertEvent, type AlertKind, alertIdOf, alertKeyOf, eventIdOf } from '../../../workers/alerts/alert.ts';
import { writeProgress } from '../../../workers/alerts/evaluation/progress.ts';
import { initialState } from '../../../workers/alerts/state.ts';
import { UNSCHEDULED } from '../../support/evaluated-stack.ts';
import { type Stack, startStack } from '../../support/stack.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
const now = Date.now();

/** A row of `alert_events` as the evaluation writes it. */
function row(
  kind: AlertKind,
  keyId: string,
  scope: string,
  openedMinutesAgo: number,
  change: Partial<AlertEvent> = {},
) {
  const openedAtMs = now - openedMinutesAgo * MINUTE_MS;
  const alertKey = alertKeyOf(kind, keyId, scope);
  const at = new Date(openedAtMs).toISOString();
  const event: AlertEvent = {
    event_id: eventIdOf(alertKey, openedAtMs, String(change.transition ?? 'opened')),
    alert_key: alertKey,
    alert_id: alertIdOf(alertKey, openedAtMs),
    at,
    recorded_at: at,
    kind,
    scope,
    key_id: keyId,
    organization_id: '',
    environment: '',
    rule_id: '',
    phase: 'firing',
    severity: 'warning',
    transition: 'opened',
    notify: '',
    withheld: '',
    actor: '',
    evidence: { summary: 'test' },
    state: { ...initialState(), phase: 'firing', openedAtMs },
    ...change,
  };
  return { ...event, evidence: JSON.stringify(event.evidence), state: JSON.stringify(event.state) };
}

const BUCKET_MS = 5 * MINUTE_MS;
const bucketBefore = (minutes: number) => Math.floor((now - minutes * MINUTE_MS) / BUCKET_MS) * BUCKET_MS;

describe('an abusive policy that waits for a sustained anomaly', () => {
  let stack: Stack;
  beforeAll(async () => {
    stack = await startStack({ ...UNSCHEDULED, KEY_SWEEP_CRON: '0 0 1 1 *', KEY_POLICY_CRON: '0 0 1 1 *' });
    const keys = ['spiking', 'scanned', 'young', 'handled', 'over', 'explained', 'failing', 'quiet'];
    keys.push('handled long ago', 'early', 'released', 'outlasting');
    for (const key of keys) await stack.call(`/v1/keys/${key}`, { method: 'PUT', body: { name: key } });
    const later = (minutes: number) => ({ at: new Date(now - minutes * MINUTE_MS).toISOString() });
    await stack.store.insertRows('alert_events', [
      row('traffic_anomaly', 'spiking', 'spike', 90),
      row('error_rate', 'scanned', 'refused', 61),
      row('traffic_anomaly', 'young', 'spike', 20),
      row('traffic_anomaly', 'handled', 'spike', 90),
      row('traffic_anomaly', 'handled', 'spike', 90, { transition: 'acknowledged', actor: 'ann', ...later(50) }),
      row('traffic_anomaly', 'over', 'spike', 90),
      row('traffic_anomaly', 'over', 'spike', 90, { transition: 'resolved', phase: 'resolved', ...later(30) }),
      row('traffic_anomaly', 'explained', 'spike', 90, { withheld: 'inhibited' }),
      row('error_rate', 'failing', 'server_errors', 90),
      // Still open nine days later: the acknowledgement's own row is older than what is looked at.
      row('error_rate', 'handled long ago', 'refused', 9 * 24 * 60, {
        transition: 'acknowledged',
        actor: 'ann',
        ...later(8.9 * 24 * 60),
      }),
      row('error_rate', 'handled long ago', 'refused', 9 * 24 * 60, {
        ...later(30),
        transition: 'recovering',
        state: {
          ...initialState(),
          phase: 'firing',
          openedAtMs: now - 9 * DAY_MS,
          announcedAtMs: now - 9 * DAY_MS,
          acknowledged: { by: 'ann', atMs: now - 8.9 * DAY_MS },
        },
      }),
      // Told before so many followed that the platform's alert opened.
      row('country_mix', 'early', 'country_mix', 90),
      row('platform', '', 'country_mix', 80),
      row('traffic_anomaly', 'released', 'spike', 90),
      // Explained until twenty minutes ago; those that spike, until more than an hour ago.
      row('error_rate', 'outlasting', 'client_errors', 180),
      row('platform', '', 'error_rate client_errors', 170),
      row('platform', '', 'error_rate client_errors', 170, { transition: 'resolved', phase: 'resolved', ...later(20) }),
      row('platform', '', 'traffic_anomaly spike', 88),
      row('platform', '', 'traffic_anomaly spike', 88, { transition: 'resolved', phase: 'resolved', ...later(75) }),
    ]);
    await stack.call('/v1/keys/released/deactivate', { method: 'POST', body: { reason: 'test' } });
    await stack.call('/v1/keys/released/reactivate', { method: 'POST', body: {} });
  });
  afterAll(() => stack.stop());

  /** Anybody has requests in buckets that ended so long ago. */
  const traffic = (buckets: readonly number[]) =>
    stack.store.insertRows(
      'traffic_buckets',
      buckets.map((n) => ({
        start: new Date(bucketBefore(3) - n * BUCKET_MS).toISOString(),
        key_id: 'any',
        requests: 1,
      })),
    );
  const policyOf = async (settings: object) =>
    (await stack.call('/v1/policies', { method: 'POST', body: { name: 'abusive', kind: 'abusive', settings } })).json
      .policy_id as string;
  const matched = async (policyId: string) =>
    (await stack.call(`/v1/policies/${policyId}/preview`, { method: 'POST' })).json.matched;

  it('means nobody by alerts that were not judged all the time', async () => {
    const policyId = await policyOf({ anomaly_minutes: 60 });
    await traffic([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 13, 14, 15, 16, 17]);
    expect(await matched(policyId), 'never judged').toBe(0);
    await writeProgress(stack.store, 'buckets', bucketBefore(3));
    expect(await matched(policyId), 'nothing reported for ten of the minutes').toBe(0);
    await traffic([11, 12]);
    await writeProgress(stack.store, 'buckets', bucketBefore(16));
    expect(await matched(policyId), 'judged long ago').toBe(0);
    await writeProgress(stack.store, 'buckets', bucketBefore(3));
    expect(await matched(policyId)).toBe(2);
  });

  it('means keys whose alert is open for so long, unacknowledged and their own doing, and says why', async () => {
    const { json: policy } = await stack.call('/v1/policies', {
      method: 'POST',
      body: { name: 'sustained', kind: 'abusive', settings: { anomaly_minutes: 60 } },
    });
    const preview = (await stack.call(`/v1/policies/${policy.policy_id}/preview`, { method: 'POST' })).json;
    expect(preview.keys.map((key: { key_id: string }) => key.key_id)).toEqual(['scanned', 'spiking']);
    expect(preview.keys[0].because).toMatch(/many refused or wrong requests for 6\d minutes/);
    expect(preview.keys[1].because).toMatch(/far more traffic than usual for 9\d minutes, and nobody acknowledged/);
    const run = (await stack.call(`/v1/policies/${policy.policy_id}/run`, { method: 'POST' })).json;
    expect(run).toMatchObject({ outcome: 'done', changed: 2 });
    expect((await stack.call('/v1/keys/spiking')).json.status).toBe('inactive');
    expect((await stack.call('/v1/keys/handled')).json.status).toBe('active');
  });

  it('the list of alerts knows who acknowledged and that it was told, also when that is older than what it is asked for', async () => {
    const since = encodeURIComponent(new Date(now - DAY_MS).toISOString());
    const { json } = await stack.call(`/v1/alerts?key_id=handled%20long%20ago&since=${since}`);
    expect(json.data).toMatchObject([{ kind: 'error_rate', told: true, acknowledged: { by: 'ann' } }]);
  });

  it('takes nobody by anomaly when the policy does not ask for it', async () => {
    const { json: policy } = await stack.call('/v1/policies', {
      method: 'POST',
      body: { name: 'errors', kind: 'abusive', settings: { client_error_rate: 0.5 } },
    });
    expect((await stack.call(`/v1/policies/${policy.policy_id}/preview`, { method: 'POST' })).json.matched).toBe(0);
  });

  it('judges a key that was activated again by what it does since, not by what was refused meanwhile', async () => {
    await stack.call('/v1/keys/noisy', { method: 'PUT', body: { name: 'noisy' } });
    const { json: policy } = await stack.call('/v1/policies', {
      method: 'POST',
      body: { name: 'refused', kind: 'abusive', settings: { client_error_rate: 0.5, window_minutes: 15 } },
    });
    const timestamp = new Date(now - 5 * MINUTE_MS).toISOString();
    await stack.send(Array.from({ length: 200 }, () => ({ key_id: 'noisy', status: 401, timestamp })));
    await stack.untilTotal('noisy', 200);
    const matched = async () =>
      (await stack.call(`/v1/policies/${policy.policy_id}/preview`, { method: 'POST' })).json.matched;
    expect(await matched()).toBe(1);
    await stack.call('/v1/keys/noisy/deactivate', { method: 'POST', body: { reason: 'test' } });
    await stack.call('/v1/keys/noisy/reactivate', { method: 'POST', body: {} });
    expect(await matched()).toBe(0);
    // A whole window after the activation.
    await stack.store.command(
      `INSERT INTO keys SELECT * REPLACE (status_changed_at - toIntervalMinute(16) AS status_changed_at, version + 1 AS version)
       FROM keys FINAL WHERE key_id = 'noisy'`,
    );
    expect(await matched()).toBe(1);
  });

  it.each([
    ['4xx answers', { client_error_rate: 0.5 }, 'error_rate refused'],
    ['more requests', { limit_factor: 2 }, 'traffic_anomaly spike'],
  ])('holds no %s against a key while an alert of the platform explains them', async (_what, settings, scope) => {
    await stack.call('/v1/keys/noisy', { method: 'PUT', body: { limits: { per_minute: 1 } } });
    const policyId = await policyOf({ ...settings, window_minutes: 15 });
    expect(await matched(policyId)).toBe(1);
    await stack.store.insertRows('alert_events', [row('platform', '', scope, 10)]);
    expect(await matched(policyId)).toBe(0);
    const ended = { at: new Date(now).toISOString(), transition: 'resolved', phase: 'resolved' } as const;
    await stack.store.insertRows('alert_events', [row('platform', '', scope, 10, ended)]);
    expect(await matched(policyId), 'it ended within the window').toBe(0);
  });
});
