import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { comparePositions, type KeyListRequest } from '../../../api/queries/key-page.ts';
import { listKeys } from '../../../api/queries/keys.ts';
import { listKeysFrom } from '../../../api/queries/listed-keys.ts';
import { readKey } from '../../../api/queries/one-key.ts';
import {
  buildGeneration,
  buildKeyList,
  dueForBuild,
  isUsable,
  newestGeneration,
} from '../../../workers/keys/key-list.ts';
import { KEY_ORDERS } from '../../../workers/keys/key-order.ts';
import { type Stack, startStack } from '../../support/stack.ts';

const HOUR_MS = 3_600_000;
const built = (finished_ms: number, duration_ms: number) => ({ generation: 1, keys: 9, duration_ms, finished_ms });

describe('when a list is built', () => {
  it.each([
    ['few keys', 50_000, undefined, 0, false],
    ['many keys, no list yet', 50_001, undefined, 0, true],
    ['a build of 3 s may come again after 60 s', 1_000_000, built(1_000_000, 3_000), 1_060_000, true],
    ['however long it takes, after five minutes', 1_000_000, built(1_000_000, 60_000), 1_300_000, true],
    ['and not before', 1_000_000, built(1_000_000, 3_000), 1_059_999, false],
  ])('%s', (_name, keys, newest, nowMs, due) => {
    expect(dueForBuild(keys, newest, 50_000, nowMs)).toBe(due);
  });

  it.each([
    ['no list', undefined, false],
    ['a fresh one', built(100 * HOUR_MS, 1), true],
    ['one from before an outage of nineteen hours', built(81 * HOUR_MS, 1), true],
    ['one from before an outage of twenty hours', built(80 * HOUR_MS, 1), false],
  ])('reads %s: %s', (_name, newest, usable) => {
    expect(isUsable(newest, 100 * HOUR_MS)).toBe(usable);
  });
});

describe('order of rows', () => {
  it('is that of the engine', () => {
    const rows = [
      { sort_value: 2, key_id: 'b' },
      { sort_value: 2, key_id: 'a' },
      { sort_value: 10, key_id: 'c' },
      { sort_value: 1.5, key_id: '\u{1F511}' },
      { sort_value: 1.5, key_id: '\uFF5E' },
    ];
    const ids = [...rows].sort(comparePositions).map((row) => row.key_id);
    expect(ids).toEqual(['\uFF5E', '\u{1F511}', 'a', 'b', 'c']);
  });
});

const ANY: KeyListRequest = {
  organizationId: '',
  customerId: '',
  keyId: '',
  environment: '',
  status: '',
  search: '',
  withDeleted: false,
  unusedDays: 0,
  expiresWithinDays: 0,
  limitUsedPercent: 0,
  sort: 'requests_30d',
  descending: true,
  limit: 8,
  after: undefined,
};

describe('a ready-made key list', () => {
  let stack: Stack;
  const put = (id: string, body: object) => stack.call(`/v1/keys/${id}`, { method: 'PUT', body });
  const today = Date.now();
  beforeAll(async () => {
    stack = await startStack({ KEY_LIST_LIVE_KEYS: '0', KEY_LIST_CRON: '0 0 1 1 *' });
    for (let n = 0; n < 12; n++) {
      const environment = n % 2 ? 'staging' : 'production';
      const limits = n % 4 ? { per_month: 40 * n } : {};
      await put(`registered-${n}`, { name: `Service ${n}`, organization_id: `org-${n % 3}`, environment, limits });
    }
    const records = Array.from({ length: 400 }, (_, n) => ({
      key_id: n % 7 === 0 ? `discovered-${n % 5}` : `registered-${(n * n) % 9}`,
      timestamp: new Date(today - (n % 29) * 86_400_000 - 60_000).toISOString(),
      status: n % 11 === 0 ? 500 : 200,
    }));
    await stack.send(records);
    await stack.untilCounted(400);
  });
  afterAll(() => stack.stop());

  it('shows the same pages as the live join, in every order and with every filter', async () => {
    // A generation of later than every write: nothing counts as changed since.
    expect(await buildKeyList(stack.store, 0, Date.now() + 60_000)).toBe(17);
    expect(await buildKeyList(stack.store, 50, Date.now() + 3_600_000), 'few enough to join').toBeUndefined();
    const generation = (await newestGeneration(stack.store))!;
    const nowMs = Date.now();
    for (const sort of KEY_ORDERS) {
      for (const descending of [true, false]) {
        for (const filter of [
          {},
          { search: 'SERVICE 1' },
          { environment: 'staging' },
          { organizationId: 'org-1' },
          { limitUsedPercent: 0.1 },
        ]) {
          const request = { ...ANY, ...filter, sort, descending };
          const live = await listKeys(stack.store, request, nowMs);
          expect(live.length).toBeGreaterThan(0);
          expect(await listKeysFrom(stack.store, generation, request, nowMs)).toEqual(live);
          const last = live.at(-1)!;
          const after = { value: last.sort_value, keyId: last.key_id };
          const next = await listKeysFrom(stack.store, generation, { ...request, after }, nowMs);
          expect(next).toEqual(await listKeys(stack.store, { ...request, after }, nowMs));
        }
      }
    }
  }, 240_000);

  it('has each key as it is read alone, registered or not, deleted or not, used or not', async () => {
    await stack.call('/v1/keys/registered-1', { method: 'DELETE' });
    await stack.call('/v1/keys/registered-11', { method: 'DELETE' });
    const nowMs = Date.now();
    const request = { ...ANY, withDeleted: true, limit: 500 };
    const rows = await listKeys(stack.store, request, nowMs);
    const kinds = new Set(rows.map((row) => `${row.status}, used: ${row.has_traffic}`));
    expect([...kinds].sort()).toEqual([
      ...['active, used: 0', 'active, used: 1', 'deleted, used: 0', 'deleted, used: 1', 'discovered, used: 1'],
    ]);
    for (const { sort_value: _, ...row } of rows) expect(await readKey(stack.store, row.key_id, nowMs)).toEqual(row);
    expect(await readKey(stack.store, 'nobody', nowMs)).toBeUndefined();
    expect(await readKey(stack.store, '', nowMs)).toBeUndefined();
    for (const n of [1, 11]) await put(`registered-${n}`, {});
  });

  it('shows changes of the registry and new keys at once, over HTTP', async () => {
    await stack.store.command('TRUNCATE TABLE key_list_generations');
    await buildGeneration(stack.store, Date.now());
    await stack.call('/v1/keys/registered-3', { method: 'DELETE' });
    await put('registered-4', { name: 'renamed', environment: 'development' });
    await stack.send([{ key_id: 'brand-new', status: 200 }]);
    await stack.untilCounted(401);
    const list = async (query: string) => (await stack.call(`/v1/keys?limit=500&${query}`)).json;
    // A row is in requests a moment before the views have it.
    await expect.poll(async () => (await list('search=brand-new')).data.length).toBe(1);
    const all = await list('sort=key_id');
    const ids = all.data.map((key: { key_id: string }) => key.key_id);
    expect(ids).not.toContain('registered-3');
    expect([...ids].sort()).toEqual(ids);
    // Page by page, with changed keys on some of the pages: the same keys in the same order.
    const whole = (await list('sort=-requests_30d')).data.map((key: { key_id: string }) => key.key_id);
    const paged: string[] = [];
    for (let cursor = ''; paged.length < 100; ) {
      const page = (await stack.call(`/v1/keys?sort=-requests_30d&limit=2${cursor}`)).json;
      paged.push(...page.data.map((key: { key_id: string }) => key.key_id));
      if (page.next_cursor === null) break;
      cursor = `&cursor=${encodeURIComponent(page.next_cursor)}`;
    }
    expect(paged).toEqual(whole);
    expect((await list('search=renamed')).data).toMatchObject([{ key_id: 'registered-4', environment: 'development' }]);
    expect((await list('status=deleted')).data).toMatchObject([{ key_id: 'registered-3' }]);
    expect(Date.parse(all.figures_as_of)).toBe((await newestGeneration(stack.store))!.generation);
  });

  it('leaves building to the one who began, and clears away what it gave up', async () => {
    const nowMs = Date.now() + 3_000_000;
    await stack.store.command(`INSERT INTO key_list (generation, key_id) VALUES (${nowMs - 60_000}, 'being built')`);
    expect(await buildKeyList(stack.store, 0, nowMs)).toBeUndefined();
    const stopping = new AbortController();
    stopping.abort();
    expect(await buildKeyList(stack.store, 0, nowMs + 3_000_000, stopping.signal)).toBeUndefined();
    const rows = await stack.store.query('SELECT key_id FROM key_list WHERE generation >= {at:UInt64}', {
      at: nowMs - 60_000,
    });
    expect(rows).toEqual([]);
  });

  it('never reads a generation that a crash left half built, and clears it away', async () => {
    await stack.store.command("INSERT INTO key_list (generation, key_id) VALUES (99, 'half built')");
    const ids = (await stack.call('/v1/keys?limit=500')).json.data.map((key: { key_id: string }) => key.key_id);
    expect(ids).not.toContain('half built');
    const later = [Date.now() + 1_000, Date.now() + 2_000];
    for (const at of later) await buildGeneration(stack.store, at);
    const kept = await stack.store.query<{ generation: number }>('SELECT DISTINCT generation FROM key_list ORDER BY 1');
    expect(kept.map((row) => row.generation)).toEqual(later);
  });
});
