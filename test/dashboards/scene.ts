import { type AlertEvent, alertIdOf, alertKeyOf, eventIdOf } from '../../workers/alerts/alert.ts';
import { writeAlertEvents } from '../../workers/alerts/evaluation/event-store.ts';
import { Random } from '../support/random.ts';
import type { Stack } from '../support/stack.ts';
import { untilRolledUp } from './rolled-up.ts';

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;

/** A small company's keys as a page would find them: busy and quiet ones, one that expires, one gone wrong. */
const KEYS = [
  ['key_checkout', 'Checkout service', 'acme', 'production', 90, { per_minute: 40 }],
  ['key_mobile', 'Mobile app, iOS and Android', 'acme', 'production', 60, { per_day: 600 }],
  ['key_search', 'Product search', 'acme', 'production', 40, {}],
  ['key_partner', 'Partner feed, Globex', 'globex', 'production', 25, { per_day: 900 }],
  ['key_reports', 'Nightly reports', 'acme', 'staging', 8, {}],
  ['key_zapier', 'Zapier integration', 'initech', 'production', 6, {}],
  ['key_backoffice', 'Back office', 'initech', 'development', 3, {}],
  ['key_new', 'Registered, never used', 'acme', 'development', 0, {}],
] as const;
const DISCOVERED = ['key_8fk2', 'key_legacy_import'];
const ROUTES = [
  ['GET', '/v2/orders/{id}'],
  ['GET', '/v2/orders'],
  ['POST', '/v2/orders'],
  ['GET', '/v2/customers/{id}'],
  ['PATCH', '/v2/orders/{id}/lines/{line}'],
  ['POST', '/v2/payments/{id}/capture'],
  ['GET', '/v2/search'],
] as const;
const COUNTRIES = ['SE', 'SE', 'SE', 'DE', 'DE', 'US', 'US', 'GB', 'NO', 'IN', 'BR', 'SG', 'MT', 'JP', 'ZA', 'AU'];
const AGENTS = ['okhttp/4.12.0', 'python-requests/2.32', 'Mozilla/5.0 (Macintosh)', 'kong/3.9'];

/** Daily and weekly shape of traffic; the incident of two days ago fails a quarter of all requests for three hours. */
function requestsOf(random: Random, now: number): object[] {
  const records: object[] = [];
  const active = KEYS.map(([id, , , environment, perHour]) => [id, environment, perHour] as const);
  const found = DISCOVERED.map((id) => [id, 'production', 2] as const);
  for (let hour = 8 * 24; hour > 0; hour--) {
    const start = now - hour * HOUR_MS;
    const clock = new Date(start);
    const wave = 0.45 + 0.4 * Math.sin(((clock.getUTCHours() - 8) / 12) * Math.PI);
    const weekend = [0, 6].includes(clock.getUTCDay()) ? 0.5 : 1;
    const incident = hour <= 50 && hour > 47;
    for (const [key_id, environment, perHour] of [...active, ...found]) {
      const count = Math.round(perHour * wave * weekend * (0.6 + 0.8 * random.next()));
      for (let n = 0; n < count; n++) {
        const at = start + random.next() * HOUR_MS;
        records.push(requestOf(random, key_id, environment, Math.min(at, now - 1_000), incident));
      }
    }
  }
  return records;
}

function requestOf(random: Random, key_id: string, environment: string, timestamp: number, incident: boolean): object {
  const [method, route] = ROUTES[Math.floor(random.next() ** 2 * ROUTES.length)]!;
  const chance = random.next();
  const status =
    incident && chance < 0.25 ? 503 : chance < 0.02 ? 404 : chance < 0.025 ? 429 : chance < 0.06 ? 304 : 200;
  return {
    key_id,
    timestamp: Math.floor(timestamp),
    method,
    route,
    path: route.replace('{id}', String(random.integer(1, 900))).replace('{line}', '2'),
    status,
    latency_ms: Math.round((20 + random.next() ** 4 * 400) * (incident ? 3 : 1)),
    request_bytes: random.integer(200, 900),
    response_bytes: random.integer(900, 9_000),
    country: COUNTRIES[Math.floor(random.next() ** 1.5 * COUNTRIES.length)],
    ip: `203.0.113.${random.integer(1, 250)}`,
    user_agent: random.pick(AGENTS),
    request_id: `req_${random.integer(1, 2 ** 31)}`,
    service: random.pick(['checkout', 'search']),
    environment,
  };
}

/** An error alert as the evaluation writes it, with its baseline. */
export function errorAlert(now: number): AlertEvent {
  const hour = Math.floor(now / HOUR_MS) * HOUR_MS;
  const openedAtMs = hour - 2 * HOUR_MS;
  const alertKey = alertKeyOf('error_rate', 'key_checkout', 'server_errors');
  const values = Array.from({ length: 36 }, (_, index) =>
    index > 30 ? 0.21 + 0.02 * (index % 3) : 0.004 + 0.001 * (index % 4),
  );
  return {
    event_id: eventIdOf(alertKey, openedAtMs, 'opened'),
    alert_key: alertKey,
    alert_id: alertIdOf(alertKey, openedAtMs),
    at: new Date(openedAtMs).toISOString(),
    recorded_at: new Date(openedAtMs + 20_000).toISOString(),
    kind: 'error_rate',
    scope: 'server_errors',
    key_id: 'key_checkout',
    organization_id: 'acme',
    environment: 'production',
    rule_id: '',
    phase: 'firing',
    severity: 'critical',
    transition: 'opened',
    notify: 'opened',
    withheld: '',
    actor: '',
    evidence: {
      summary: '22.4% of the requests failed with 5xx, usually 0.5%.',
      value: 0.224,
      expected: 0.005,
      unit: 'ratio',
      windowMinutes: 15,
      baseline: 'the last 14 days of this key',
      statistic: { name: 'Wilson lower bound', value: 0.187, threshold: 0.05 },
      chart: {
        start: new Date(hour - 36 * HOUR_MS).toISOString(),
        bucketMinutes: 60,
        values,
        expected: values.map(() => 0.005),
      },
      contributions: [
        {
          dimension: 'endpoint',
          value: 'POST /v2/payments/{id}/capture',
          requests: 212,
          share: 0.71,
          usualShare: 0.08,
        },
        { dimension: 'status', value: '503', requests: 198, share: 0.66, usualShare: 0.2 },
        { dimension: 'country', value: 'DE', requests: 120, share: 0.4, usualShare: null },
      ],
    },
    state: {
      phase: 'firing',
      severity: 'critical',
      lastAtMs: openedAtMs,
      breached: [true, true, true],
      turns: [true],
      clears: 0,
      openedAtMs,
      resolvedAtMs: null,
      announcedAtMs: openedAtMs,
      announcedSeverity: 'critical',
      announced: true,
      lastNotifiedAtMs: openedAtMs,
      acknowledged: null,
      silencedUntilMs: null,
      inhibitedBy: null,
      flapping: false,
    },
  };
}

const RECORDS_PER_POST = 5_000;

/** Fills a running program so that every page has something to show. @returns ids of what it made */
export async function paintScene(stack: Stack): Promise<Record<'policy' | 'alert' | 'rule' | 'channel', string>> {
  const now = Date.now();
  const put = (path: string, body: object) => stack.call(path, { method: 'PUT', body });
  const post = async (path: string, body: object = {}) => (await stack.call(path, { method: 'POST', body })).json;
  for (const [keyId, name, organization_id, environment, , limits] of KEYS) {
    const expires = { key_partner: 6, key_zapier: 21 }[keyId as string];
    await put(`/v1/keys/${keyId}`, {
      name,
      organization_id,
      environment,
      limits,
      prefix: `kt_${keyId.slice(4, 8)}`,
      owner: { name: 'Platform team', email: 'platform@example.com' },
      ...(expires && { expires_at: new Date(now + expires * DAY_MS).toISOString() }),
    });
  }
  await post('/v1/keys/key_backoffice/report-leak', { reason: 'found in a public repository' });
  const records = requestsOf(new Random(11), now);
  for (let at = 0; at < records.length; at += RECORDS_PER_POST) {
    await stack.send(records.slice(at, at + RECORDS_PER_POST));
  }
  await untilRolledUp(stack.store, records.length);
  const { policy_id: policyId } = await post('/v1/policies', { name: 'Leaked keys', kind: 'leaked', enabled: true });
  await post(`/v1/policies/${policyId}/run`);
  await post('/v1/policies', {
    name: 'Unused for 90 days',
    kind: 'unused',
    settings: { unused_days: 90, never_used_days: 90 },
    warn_days: [7, 1],
  });
  await writeAlertEvents(stack.store, [errorAlert(now)]);
  await post('/v1/channels', { name: 'On-call team', type: 'email', settings: { to: ['oncall@example.com'] } });
  const { channel_id: channelId } = await post('/v1/channels', {
    name: 'Operations',
    type: 'webhook',
    settings: { url: 'https://hooks.example.com/keytally' },
    routing: { min_severity: 'critical' },
  });
  const { rule_id: ruleId } = await post('/v1/alert-rules', {
    name: 'Partners may fail more',
    kind: 'error_rate',
    organization_id: 'globex',
    settings: { min_ratio: 0.2 },
  });
  await post('/v1/silences', {
    matchers: { key_ids: ['key_reports'] },
    ends_at: new Date(now + 5 * HOUR_MS).toISOString(),
    reason: 'Planned work on the database',
  });
  await post('/v1/tokens', { name: 'Kong in Frankfurt', scopes: ['ingest'] });
  await post('/v1/tokens', { name: 'Grafana', scopes: ['read'], organization_id: 'acme' });
  return { policy: policyId, alert: errorAlert(now).alert_id, rule: ruleId, channel: channelId };
}
