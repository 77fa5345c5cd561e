import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type Config, parseConfig } from '../../ingest/config.ts';
import type { Store } from '../../workers/clickhouse/store.ts';
import { checkInvariants, rangeOf, readInvariants } from '../../workers/invariants.ts';
import { migratedStore } from '../support/migrated-store.ts';

let store: Store;
let config: Config;
beforeAll(async () => {
  config = parseConfig({});
  store = await migratedStore(config);
});
afterAll(() => store.close());

const ROLLUPS = [
  'usage_minute',
  'usage_quarter_hour',
  'usage_day',
  'endpoints_quarter_hour',
  'endpoints_day',
  'countries_quarter_hour',
  'countries_day',
  'statuses_quarter_hour',
  'statuses_day',
];
const TABLES = ['requests', ...ROLLUPS, 'key_totals', 'keys', 'audit', 'alert_events'];

async function insertRequests(requests: Record<string, unknown>[]): Promise<void> {
  const at = new Date(Date.now() - 3_600_000).toISOString();
  const whole = { timestamp: at, received_at: at, key_id: 'k', method: 'GET', route: '/a', status: 200, country: 'SE' };
  await store.insertRows(
    'requests',
    requests.map((request) => ({ ...whole, batch_id: 'b', organization_id: '', ...request })),
  );
}

const step = (alert_key: string) => ({
  alert_key,
  alert_id: `${alert_key}1`,
  at: new Date().toISOString(),
  recorded_at: new Date().toISOString(),
});

/** A consistent little world: nothing is violated in it. */
beforeEach(async () => {
  for (const table of TABLES) await store.command(`TRUNCATE TABLE ${table}`);
  await insertRequests(
    Array.from({ length: 12 }, (_, n) => ({
      key_id: `k${n % 3}`,
      status: 200 + n,
      response_bytes: n,
      latency_ms: n,
      organization_id: 'acme',
    })),
  );
  await store.insertRows('keys', [
    {
      key_id: 'k0',
      organization_id: 'acme',
      version: 2,
      change_action: 'key.updated',
      updated_at: '2026-01-01T00:00:00Z',
    },
  ]);
  await store.insertRows(
    'audit',
    [1, 2].map((version) => ({
      at: '2026-01-01T00:00:00Z',
      subject: 'k0',
      action: 'key.updated',
      version,
      id: `k0@${version}`,
    })),
  );
  // The second is a repeat of the first after a crash.
  const opened = { ...step('a'), event_id: 'e1', at: '2026-01-01T00:00:00Z', transition: 'opened', notify: 'opened' };
  await store.insertRows('alert_events', [{ ...opened, recorded_at: '2026-01-01T00:00:00Z' }, opened]);
});

async function violated(): Promise<string[]> {
  const { invariants } = await checkInvariants(store, config, { settled: false, pauseMs: 0 });
  for (const { name, error } of invariants) expect(error, name).toBeUndefined();
  return invariants.filter(({ violations }) => violations > 0).map(({ name }) => name);
}

test('nothing is violated in a store that is as it should be, and in an empty one', async () => {
  expect(await violated()).toEqual([]);
  for (const table of TABLES) await store.command(`TRUNCATE TABLE ${table}`);
  expect(await violated()).toEqual([]);
});

const now = () => new Date(Date.now() - 3_600_000).toISOString().slice(0, 19);
const YESTERDAY = 86_400_000;

/** What is done to the store, and which checks must see it. A view's target can be written beside the view. */
const PLANTED: [string, string[], () => Promise<unknown>][] = [
  ...ROLLUPS.map((table): [string, string[], () => Promise<unknown>] => [
    `a row too many in ${table}`,
    table === 'usage_day' ? ['usage_day', 'totals'] : [table],
    () => store.insertRows(table, [{ key_id: 'k0', start: now(), requests: 1 }]),
  ]),
  ...ROLLUPS.map((table): [string, string[], () => Promise<unknown>] => [
    `${table} lacks what is in requests`,
    table === 'usage_day' ? ['usage_day', 'totals'] : [table],
    () => store.command(`TRUNCATE TABLE ${table}`),
  ]),
  [
    'counts moved from one key to another, the sum stays',
    ['usage_quarter_hour'],
    async () => {
      await store.insertRows('usage_quarter_hour', [{ key_id: 'k0', start: now(), requests: 1 }]);
      // Minus one in 64 bits.
      await store.insertRows('usage_quarter_hour', [{ key_id: 'k1', start: now(), requests: '18446744073709551615' }]);
    },
  ],
  [
    'a lifetime count too high',
    ['totals'],
    () => store.insertRows('key_totals', [{ key_id: 'k0', requests: 1, first_seen: now() }]),
  ],
  [
    'last used later than any request',
    ['last_used'],
    () =>
      store.command(`INSERT INTO key_totals (key_id, requests, first_seen, tracking_since, last_used)
      SELECT 'k0', 0, now(), now(), (now64(3) + 60, 'SE', 'GET', '/', 200)`),
  ],
  [
    'a batch twice',
    ['batch_twice'],
    async () => {
      await insertRequests(Array.from({ length: 20 }, (_, n) => ({ batch_id: 'twice', response_bytes: n % 10 })));
    },
  ],
  [
    'a record of one tenant under a key of another',
    ['tenants'],
    () => insertRequests([{ key_id: 'k0', organization_id: 'rival' }]),
  ],
  [
    'two tenants under a key that nobody registered',
    ['discovered_tenants'],
    () => insertRequests([{ key_id: 'k1', organization_id: 'rival' }]),
  ],
  [
    'a version without its audit row',
    ['audit'],
    () =>
      store.insertRows('keys', [
        {
          key_id: 'k0',
          organization_id: 'acme',
          version: 3,
          change_action: 'key.updated',
          updated_at: '2026-01-02T00:00:00Z',
        },
      ]),
  ],
  [
    'a gap in the audit',
    ['audit'],
    async () => {
      await store.insertRows('audit', [{ at: '2026-01-01T00:00:00Z', subject: 'k0', version: 4, id: 'k0@4' }]);
      await store.insertRows('keys', [
        {
          key_id: 'k0',
          organization_id: 'acme',
          version: 4,
          change_action: 'key.updated',
          updated_at: '2026-01-02T00:00:00Z',
        },
      ]);
    },
  ],
  [
    'an alert that resolved without having been opened',
    ['alert_log'],
    () =>
      store.insertRows('alert_events', [
        { alert_key: 'x', alert_id: 'x1', event_id: 'e2', at: now(), recorded_at: now(), transition: 'resolved' },
      ]),
  ],
  [
    'an alert that opened twice',
    ['alert_log'],
    () =>
      store.insertRows(
        'alert_events',
        ['e3', 'e4'].map((event_id) => ({ ...step('y'), event_id, transition: 'opened', notify: 'opened' })),
      ),
  ],
  [
    'an end that is told where nobody was told of the opening',
    ['alert_log'],
    () =>
      store.insertRows('alert_events', [
        { ...step('z'), event_id: 'e5', transition: 'opened', withheld: 'silenced' },
        { ...step('z'), event_id: 'e6', transition: 'resolved', notify: 'resolved' },
      ]),
  ],
];

test.each(PLANTED)('%s is seen', async (_title, expected, plant) => {
  await plant();
  expect(await violated()).toEqual(expected);
});

test('every query is tried by a planted violation', () => {
  const planted = new Set(PLANTED.flatMap(([, names]) => names));
  expect(
    readInvariants()
      .map(({ name }) => name)
      .filter((name) => !planted.has(name)),
  ).toEqual([]);
  for (const { name, says } of readInvariants()) expect(says, name).not.toBe('');
});

test('a query that fails is reported, and the others still tell', async () => {
  await store.command('RENAME TABLE audit TO audit_away');
  const { invariants } = await checkInvariants(store, config, { settled: false, pauseMs: 0 });
  await store.command('RENAME TABLE audit_away TO audit');
  expect(
    invariants.filter(({ violations }) => violations !== 0).map(({ name, violations }) => [name, violations]),
  ).toEqual([['audit', -1]]);
});

test('the range is what raw rows and minutes hold, without what is being written now', () => {
  const noon = Date.parse('2026-11-21T12:07:00Z');
  const times = rangeOf(parseConfig({}), noon, {});
  const iso = (seconds: number) => new Date(seconds * 1000).toISOString().slice(0, 16);
  expect([times.from, times.to, times.to_day].map((seconds) => iso(seconds!))).toEqual([
    '2026-11-19T00:00',
    '2026-11-21T11:45',
    '2026-11-21T00:00',
  ]);
  const short = rangeOf(parseConfig({ RETENTION_REQUESTS_DAYS: '2', RETENTION_MINUTE_DAYS: '2' }), noon, { days: 30 });
  expect(short.from).toBe((noon - (noon % YESTERDAY) - YESTERDAY) / 1000);
});
