import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type OpenDashboard, openDashboard } from '../dashboards/open-dashboard.ts';
import { BROWSER_PATH } from '../support/browser.ts';

const KEYS = 100_000;
const ROW_PX = 48;
const LIVE_EVERY_MS = 10_000;

/** A key as the api answers it; a hundred thousand real ones would take longer to register than to look at. */
const keyOf = (index: number) => ({
  key_id: `key_${String(index).padStart(6, '0')}`,
  name: index % 3 ? `Customer ${index}` : null,
  organization_id: 'acme',
  status: 'active',
  environment: 'production',
  last_used: null,
  expires_at: null,
  total_requests: index,
  requests_30d: KEYS - index,
  error_rate_30d: 0,
  limits: null,
  series: { from: '2026-10-01T00:00:00Z', requests: Array(30).fill(index % 7), errors: Array(30).fill(0) },
});

describe.skipIf(BROWSER_PATH === '')('a list of 100,000 keys', () => {
  let dashboard: OpenDashboard;

  beforeAll(async () => {
    dashboard = await openDashboard();
  });
  afterAll(() => dashboard?.stop());

  test('scrolls to its end with a bounded page, and a row there opens its key', async () => {
    const page = await dashboard.open('/login', { token: '' });
    const context = page.context();
    await context.request.post(`${dashboard.stack.url}/v1/session`, {
      data: { token: await dashboard.stack.token({ name: 'viewer', scopes: ['read'] }) },
    });
    let pages = 0;
    // Only the volume is made up: pages of the size that is asked for, with a cursor to the next.
    await page.route(/\/v1\/keys\?/, (route) => {
      const query = new URL(route.request().url()).searchParams;
      const first = Number(query.get('cursor') ?? 0);
      const end = Math.min(KEYS, first + (pages++ === 0 ? Number(query.get('limit')) : 20_000));
      const data = Array.from({ length: end - first }, (_, index) => keyOf(first + index));
      return route.fulfill({ json: { data, next_cursor: end < KEYS ? String(end) : null } });
    });
    await page.goto(`${dashboard.stack.url}/keys?sort=key_id`);
    const table = page.getByTestId('keys-table');
    const rows = table.locator('tbody tr:not(.filler)');
    await rows.first().waitFor();
    await expect
      .poll(
        async () => {
          await page.evaluate(() => scrollTo(0, document.documentElement.scrollHeight));
          return table.getAttribute('aria-rowcount');
        },
        { timeout: 30_000 },
      )
      .toBe(String(KEYS + 1));
    await page.evaluate((top) => scrollTo(0, top), 50_000 * ROW_PX);
    const inTheMiddle = rows.filter({ hasText: 'key_050005' });
    await inTheMiddle.waitFor();
    expect(await inTheMiddle.getAttribute('aria-rowindex')).toBe('50007');
    await page.evaluate(() => scrollTo(0, document.documentElement.scrollHeight));
    const last = rows.filter({ hasText: `key_0${KEYS - 1}` });
    await last.waitFor();
    expect(await rows.count()).toBeLessThan(150);
    await last.getByRole('link').first().click();
    await page.getByTestId('key-missing').waitFor();
    expect(page.url()).toContain(`/keys/key_0${KEYS - 1}`);
    expect(dashboard.errors).toEqual([]);
    await context.close();
  });

  test('older requests stay while they are read, also in live mode, and a refresh goes on with the newest', async () => {
    const page = await dashboard.open('/audit');
    await page.clock.install();
    let firstPages = 0;
    const rowOf = (n: number) => ({
      timestamp: new Date(Date.now() - n).toISOString(),
      key_id: `key_${n}`,
      method: 'GET',
      path: '/',
      status: 200,
    });
    await page.route(/\/v1\/requests\?/, (route) => {
      const cursor = Number(new URL(route.request().url()).searchParams.get('cursor') ?? 0);
      if (cursor === 0) firstPages++;
      const data = Array.from({ length: 100 }, (_, n) => rowOf(cursor + n));
      return route.fulfill({ json: { data, next_cursor: String(cursor + 100) } });
    });
    const moveOn = () => page.clock.runFor(LIVE_EVERY_MS).then(() => firstPages);
    await page.goto(`${dashboard.stack.url}/requests?live=1`);
    const older = page.getByRole('button', { name: 'Show older requests' });
    await older.waitFor();
    await expect.poll(moveOn).toBeGreaterThan(2);
    const said = page.getByTestId('requests-as-of');
    expect(await said.innerText()).toBe('');
    await older.click();
    await page.getByText('key_150', { exact: true }).waitFor();
    expect(await said.innerText()).toMatch(/^Live waits/);
    const before = firstPages;
    for (let tick = 0; tick < 5; tick++) expect(await moveOn()).toBe(before);
    expect(await page.getByText('key_150', { exact: true }).count()).toBe(1);
    await page.getByRole('button', { name: 'Refresh' }).click();
    await expect.poll(() => page.getByText('key_150', { exact: true }).count()).toBe(0);
    await expect.poll(moveOn).toBeGreaterThan(before + 2);
    await page.context().close();
  });

  test('a top list opens once, grows, and scrolls by keyboard', async () => {
    const keys = 250;
    const timestamp = Date.now() - 60_000;
    const records = Array.from({ length: keys }, (_, n) => ({ key_id: `top_${n}`, path: '/', status: 200, timestamp }));
    const [before] = await dashboard.stack.store.query<{ n: number }>('SELECT count() AS n FROM requests');
    await dashboard.stack.send(records);
    await dashboard.stack.untilCounted(before!.n + keys);
    const page = await dashboard.open('/?range=24h&tz=UTC');
    const panel = page.getByTestId('keys-table');
    const rows = panel.locator('tbody tr');
    await expect.poll(() => rows.count()).toBe(30);
    const closed = (await panel.getByRole('table').boundingBox())!.height;
    await panel.getByRole('button', { name: 'Show 170 more' }).click();
    await expect.poll(() => rows.count()).toBe(200);
    expect(await panel.getByRole('button', { name: /Show/ }).count()).toBe(0);
    const region = panel.getByRole('region', { name: 'Top keys, scrolls' });
    const seen = (await region.boundingBox())!.height;
    expect(seen).toBeGreaterThan(closed * 1.3);
    expect(seen).toBeLessThan(closed * 1.7);
    await region.focus();
    await page.keyboard.press('End');
    await expect.poll(() => region.evaluate((list) => list.scrollTop)).toBeGreaterThan(0);
    await page.context().close();
  });
});
