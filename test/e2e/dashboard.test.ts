import type { Route } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  cardValue,
  drawn,
  focused,
  type OpenDashboard,
  openDashboard,
  widthBeyondScreen,
} from '../dashboards/open-dashboard.ts';
import { BROWSER_PATH } from '../support/browser.ts';
import { ADMIN_TOKEN } from '../support/stack.ts';

const HOUR_MS = 3_600_000;
const LIGHT = 'rgb(246, 247, 249)';
const DARK = 'rgb(14, 17, 22)';
/** Markup, text turned around, and length: what a stranger may put into a path or a header. */
const HOSTILE = '<script>window.harmed=1</script><img src=x onerror="window.harmed=1">\u202Egnp.tnalp\u202C';
const LONG = `${HOSTILE} ${'long '.repeat(800)}`;
const HOSTILE_KEY = 'key_<b>bold</b>\u202Edesrever';

function records(now: number): object[] {
  const many = Array.from({ length: 60 }, (_, index) => ({
    key_id: 'key_main',
    timestamp: now - HOUR_MS - index * 20 * 60_000,
    method: index % 3 ? 'GET' : 'POST',
    path: `/v1/orders/${index}`,
    route: '/v1/orders/{id}',
    status: index % 10 ? 200 : 503,
    latency_ms: 20 + index,
    country: index % 2 ? 'SE' : 'SG',
  }));
  const others = [
    { key_id: 'key_foreign', timestamp: now - HOUR_MS, method: 'GET', path: '/secret', route: '/secret', status: 200 },
    {
      key_id: HOSTILE_KEY,
      timestamp: now - HOUR_MS,
      method: 'GET',
      path: `/${LONG}`,
      route: `/${HOSTILE}`,
      status: 200,
    },
  ];
  return [...many, ...others.map((record) => ({ ...record, user_agent: LONG, error: LONG }))];
}

describe.skipIf(BROWSER_PATH === '')('dashboard in a browser', () => {
  let dashboard: OpenDashboard;
  let acme: string;

  beforeAll(async () => {
    dashboard = await openDashboard();
    const { stack } = dashboard;
    await stack.call('/v1/keys/key_main', { method: 'PUT', body: { name: 'Main key', organization_id: 'acme' } });
    await stack.call('/v1/keys/key_foreign', { method: 'PUT', body: { name: 'Foreign', organization_id: 'globex' } });
    acme = await stack.token({ name: 'acme viewer', scopes: ['read'], organization_id: 'acme' });
    await stack.send(records(Date.now()));
    await stack.untilCounted(62);
  });
  afterAll(() => dashboard?.stop());

  const hostilePath = `/keys/${encodeURIComponent(HOSTILE_KEY)}`;
  const PAGES = ['/', '/keys', '/keys/key_main', hostilePath, '/keys/unknown', '/requests', '/nowhere'];
  test.each([
    ['light', { colorScheme: 'light' }, LIGHT],
    ['dark', { colorScheme: 'dark' }, DARK],
    ['phone', { viewport: { width: 390, height: 844 } }, LIGHT],
  ] as const)(
    'every page in %s is drawn without an error and without scrolling sideways',
    async (_, options, background) => {
      const page = await dashboard.open('/login', { ...options, token: '' });
      expect(await widthBeyondScreen(page)).toBeLessThanOrEqual(0);
      await page.getByTestId('token-input').fill(ADMIN_TOKEN);
      await page.getByTestId('login-button').click();
      await page.getByTestId('card-requests').waitFor();
      for (const path of PAGES) {
        await page.goto(dashboard.stack.url + path);
        await drawn(page);
        expect([path, await widthBeyondScreen(page)]).toEqual([path, 0]);
      }
      expect(await page.evaluate(() => getComputedStyle(document.body).backgroundColor)).toBe(background);
      await page.context().close();
      expect(dashboard.errors).toEqual([]);
    },
  );

  test('the overview counts all keys, and its rows lead to the key and to the requests', async () => {
    const page = await dashboard.open('/');
    expect(await cardValue(page, 'requests')).toBe('62');
    expect(await cardValue(page, 'keys-in-use')).toBe('3');
    expect(await page.getByTestId('failing-keys-table').innerText()).toContain('Main key');
    expect(await page.getByTestId('discovered-table').innerText()).toContain('key_<b>bold</b>');
    await page.getByTestId('statuses-table').getByRole('link', { name: /503/ }).click();
    await page.getByTestId('requests-table').waitFor();
    expect(page.url()).toContain('status=503');
    await drawn(page);
    expect(await page.getByTestId('requests-table').locator('tbody tr').count()).toBe(6);
    await page.goBack();
    await page
      .getByTestId('keys-table')
      .getByRole('link', { name: /Main key/ })
      .click();
    await page.getByTestId('series-chart').waitFor();
    expect(new URL(page.url()).pathname).toBe('/keys/key_main');
    await page.context().close();
  });

  test('a link that goes with its page gives the focus to the heading of the next', async () => {
    const page = await dashboard.open('/keys');
    expect(await focused(page)).toBe('BODY');
    const row = page.getByTestId('keys-table').getByRole('link', { name: 'Main key' });
    await row.press('Enter');
    await expect.poll(() => focused(page)).toBe('H1 Main key');
    await page.context().close();
  });

  test('what is missing from a list of 500 keys is not called nothing', async () => {
    const page = await dashboard.open('/audit');
    const counted = (group: string, requests: number) => ({ group, requests, client_errors: 0, server_errors: 0 });
    let asked = 0;
    await page.route(/\/v1\/usage\?group_by=key_id/, (route) => {
      // Every other question is for the period before.
      const name = asked++ % 2 ? 'before' : 'now';
      const many = Array.from({ length: 499 }, (_, index) => ({ ...counted(`${name}_${index}`, 10), error_rate: 0 }));
      const busiest = { ...counted('busiest', name === 'now' ? 900 : 300), error_rate: 0 };
      return route.fulfill({ json: { from: '', to: '', group_by: 'key_id', data: [busiest, ...many] } });
    });
    await page.goto(`${dashboard.stack.url}/?range=24h`);
    await drawn(page);
    const keys = page.getByTestId('keys-table').locator('tbody tr');
    expect(await keys.first().innerText()).toMatch(/\+200%/);
    expect(await keys.nth(1).innerText()).toMatch(/10\s+–/);
    const movers = page.getByTestId('movers-table');
    expect(await movers.locator('.panel-note').innerText()).toContain('of the 500 busiest keys');
    expect(await movers.locator('tbody tr').count()).toBe(1);
    expect(await page.getByTestId('failing-keys-table').innerText()).toContain('None of the 500 busiest keys fails');
    await page.context().close();
  });

  test('figures stand against the period before theirs, or against none', async () => {
    const page = await dashboard.open('/?range=24h');
    const card = page.getByTestId('card-requests').locator('.change');
    await expect.poll(() => card.count()).toBe(1);
    const before = (url: URL) => url.search.includes('group_by=status') && !url.search.includes('include=series');
    await page.route(before, (route) => route.fulfill({ status: 503, body: '' }));
    await page.getByRole('button', { name: '3d', exact: true }).click();
    await page.waitForURL(/range=3d/);
    await drawn(page);
    expect(await card.count()).toBe(0);
    await page.context().close();
  });

  test('hostile routes, paths and user agents are text', async () => {
    const page = await dashboard.open(hostilePath);
    expect(await page.getByTestId('endpoints-table').innerText()).toContain('<script>window.harmed=1</script>');
    expect(await page.getByTestId('recent-requests').innerText()).toContain('<img src=x');
    await page.getByRole('link', { name: 'All requests' }).click();
    await drawn(page);
    await page.getByTestId('requests-table').locator('.row-open').first().click();
    const drawer = page.getByTestId('request-drawer');
    expect(await drawer.innerText()).toContain('onerror="window.harmed=1"');
    expect(await widthBeyondScreen(page)).toBe(0);
    expect(await page.evaluate(() => 'harmed' in window)).toBe(false);
    await page.context().close();
    expect(dashboard.errors).toEqual([]);
  });

  test('a viewer of one organization sees its keys and a clear word about others', async () => {
    const page = await dashboard.open('/', { token: acme });
    expect(await cardValue(page, 'requests')).toBe('60');
    await page.goto(`${dashboard.stack.url}/keys`);
    await drawn(page);
    const rows = page.getByTestId('keys-table').locator('tbody tr');
    expect(await rows.allInnerTexts()).toEqual([expect.stringContaining('Main key')]);
    await page.goto(`${dashboard.stack.url}/keys/key_foreign`);
    await page.getByTestId('key-missing').waitFor();
    expect(await page.getByTestId('key-missing').innerText()).toContain('belongs to another organization');
    await page.goto(`${dashboard.stack.url}/requests?key_id=key_foreign`);
    await page.getByTestId('requests-empty').waitFor();
    await page.context().close();
  });

  test('signing out ends the session, and signing in leads back', async () => {
    const page = await dashboard.open('/requests?range=7d&tz=UTC&status=5xx');
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByTestId('token-input').waitFor();
    await page.goto(`${dashboard.stack.url}/requests?range=7d&tz=UTC&status=5xx`);
    await page.getByTestId('token-input').fill('kt_wrong');
    await page.getByTestId('login-button').click();
    await page.getByRole('alert').waitFor();
    expect(await page.getByRole('alert').innerText()).toContain('not known');
    await page.getByTestId('token-input').fill(ADMIN_TOKEN);
    await page.getByTestId('login-button').click();
    await page.getByTestId('requests-table').waitFor();
    expect(page.url()).toContain('/requests?range=7d&tz=UTC&status=5xx');
    await page.context().close();
  });

  test('whoever could not be signed out is told so, and stays', async () => {
    const page = await dashboard.open('/keys');
    const fails = (route: Route) => (route.request().method() === 'DELETE' ? route.abort() : route.continue());
    await page.route('**/v1/session', fails);
    await page.getByRole('button', { name: 'Sign out' }).click();
    const dialog = page.getByRole('dialog', { name: 'You are still signed in' });
    expect(await dialog.innerText()).toContain('Check the connection');
    await dialog.getByRole('button', { name: 'Cancel' }).click();
    expect(new URL(page.url()).pathname).toBe('/keys');
    await page.getByRole('button', { name: 'Sign out' }).click();
    await dialog.waitFor();
    await page.unroute('**/v1/session', fails);
    await dialog.getByRole('button', { name: 'Try again' }).click();
    await page.getByTestId('token-input').waitFor();
    await page.context().close();
  });

  test('times are told from when their answer came, however long the page stood open', async () => {
    const page = await dashboard.open('/requests');
    // Two hours before the server's clock: what happened an hour ago is still to come for whoever does not look again.
    await page.clock.install({ time: Date.now() - 2 * HOUR_MS });
    await page.goto(`${dashboard.stack.url}/keys`);
    await drawn(page);
    const row = page.getByTestId('keys-table').locator('tbody tr').filter({ hasText: 'Main key' });
    expect(await row.innerText()).toMatch(/\bin (\d+ min|1 hr)/);
    await page.clock.fastForward(2 * HOUR_MS);
    await page.getByLabel('Status').selectOption('active');
    await page.waitForURL(/status=active/);
    await expect.poll(() => row.innerText()).toMatch(/\d (min|hr) ago/);

    const fails = (route: Route) => route.fulfill({ status: 500 });
    await page.route(/\/v1\/keys\?status=discovered/, fails);
    await page.clock.setSystemTime(Date.now() - 2 * HOUR_MS);
    await page.goto(`${dashboard.stack.url}/`);
    await drawn(page);
    await page.clock.setSystemTime(Date.now());
    await page.unroute(/\/v1\/keys\?status=discovered/, fails);
    await page.getByRole('alert').getByRole('button', { name: 'Try again' }).click();
    await expect.poll(() => page.getByTestId('discovered-table').innerText()).toMatch(/just now|ago/);
    await page.context().close();
  });

  test('keyboard: search, help, periods, map; never with a modifier', async () => {
    const page = await dashboard.open('/keys');
    await page.keyboard.press('Control+/');
    expect(await focused(page)).toBe('BODY');
    await page.keyboard.press('/');
    expect(await focused(page)).toBe('INPUT');
    await page.keyboard.type('?');
    expect(await page.getByRole('dialog').count()).toBe(0);
    await page.keyboard.press('Escape');
    await page.keyboard.press('?');
    await page.getByRole('dialog').waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });

    await page.goto(`${dashboard.stack.url}/keys/key_main?range=24h&tz=UTC`);
    await drawn(page);
    const before = page.url();
    await page.keyboard.press('Control+ArrowLeft');
    await page.keyboard.press('Shift+Control+ArrowLeft');
    expect(page.url()).toBe(before);
    await page.keyboard.press('ArrowLeft');
    await page.waitForURL(/from=.*to=/);
    await page.goBack();
    await drawn(page);
    const custom = page.getByRole('button', { name: 'Custom' });
    await custom.press('Enter');
    await page.getByLabel('From', { exact: true }).focus();
    await page.keyboard.press('Escape');
    expect([await page.getByLabel('From', { exact: true }).count(), await focused(page)]).toEqual([0, 'BUTTON Custom']);
    await page.getByTestId('world-map').focus();
    await page.keyboard.press('ArrowRight');
    expect(await page.getByTestId('world-map').locator('.tooltip').innerText()).toMatch(/Sweden|Singapore/);
    await page.keyboard.press('Enter');
    await page.waitForURL(/country=(SE|SG)/);
    await page.keyboard.press('Escape');
    await page.context().close();
  });

  test('a filter beyond the kept requests says so and offers the way out', async () => {
    const page = await dashboard.open('/keys/key_main?range=90d&tz=UTC&status=503');
    const notice = page.getByTestId('filter-too-old');
    expect(await notice.innerText()).toContain('30 days');
    await notice.getByRole('button', { name: /Show the last 14d/ }).click();
    await expect.poll(() => cardValue(page, 'requests')).toBe('6');
    await page.goBack();
    await notice.getByRole('button', { name: 'Drop the filter' }).click();
    await expect.poll(() => cardValue(page, 'requests')).toBe('60');
    expect(page.url()).not.toContain('status=');
    await page.context().close();
  });
});
