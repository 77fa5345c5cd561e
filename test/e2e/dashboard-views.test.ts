import { readFile } from 'node:fs/promises';
import type { Page, Route } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  cardValue,
  drawn,
  drawnTwice,
  focused,
  type OpenDashboard,
  openDashboard,
} from '../dashboards/open-dashboard.ts';
import { BROWSER_PATH } from '../support/browser.ts';
import { Random } from '../support/random.ts';
import { generateTraffic } from '../support/traffic.ts';

const DAY_MS = 86_400_000;
const NOW = Date.now();
/** Known traffic of the last four days; every number on the pages is counted from it again. */
const TRAFFIC = generateTraffic(new Random(7), 4_000, 4, NOW - 4 * DAY_MS, NOW - 60_000).map((sample, index) => ({
  ...sample,
  request_id: `req_${index}x`,
}));
/** Europe's clocks went back at 01:00 UTC on 25 October 2026, New York's at 06:00 UTC on 1 November. */
const CHANGES = { europe: Date.parse('2026-10-25T01:00:00Z'), america: Date.parse('2026-11-01T06:00:00Z') };
const HALF_HOUR = 1_800_000;
/** One request half an hour before each change of the clocks, two half an hour after it. */
const AROUND_CHANGES = Object.values(CHANGES).flatMap((change) =>
  [-HALF_HOUR, HALF_HOUR, HALF_HOUR].map((shift) => ({
    key_id: 'key_night',
    timestamp: change + shift,
    method: 'GET',
    path: '/night',
    status: 200,
  })),
);

const comma = (count: number) => count.toLocaleString('en-GB');

describe.skipIf(BROWSER_PATH === '')('views of the dashboard', () => {
  let dashboard: OpenDashboard;

  beforeAll(async () => {
    dashboard = await openDashboard({
      ACCEPT_PAST_DAYS: '3000',
      RETENTION_REQUESTS_DAYS: '3650',
      RETENTION_QUARTER_HOUR_DAYS: '3650',
    });
    await dashboard.stack.send(TRAFFIC);
    await dashboard.stack.send(AROUND_CHANGES);
    await dashboard.stack.untilCounted(TRAFFIC.length + AROUND_CHANGES.length);
  });
  afterAll(() => dashboard?.stop());

  const OF_KEY = TRAFFIC.filter((sample) => sample.key_id === 'key_0');

  test('a click in a table filters everything; the address restores it; the pill takes it away', async () => {
    const page = await dashboard.open('/keys/key_0?range=7d&tz=UTC');
    expect(await cardValue(page, 'requests')).toBe(comma(OF_KEY.length));
    const row = page.getByTestId('statuses-table').locator('tbody tr').filter({ hasText: '404' });
    await row.getByRole('button').click();
    const notFound = OF_KEY.filter((sample) => sample.status === 404);
    await expect.poll(() => cardValue(page, 'requests')).toBe(comma(notFound.length));
    await page
      .getByTestId('countries-table')
      .getByRole('button', { name: /Sweden/ })
      .click();
    const inSweden = notFound.filter((sample) => sample.country === 'SE');
    await expect.poll(() => cardValue(page, 'requests')).toBe(comma(inSweden.length));
    expect(await cardValue(page, 'error-rate')).toBe('100%');
    await page.getByTestId('endpoints-table').getByRole('button', { name: /more$/ }).press('Enter');
    expect(await page.getByRole('region', { name: 'Endpoints, scrolls' }).evaluate(isFocused)).toBe(true);

    await page.reload();
    await drawn(page);
    expect(await cardValue(page, 'requests')).toBe(comma(inSweden.length));
    const recent = page.getByTestId('recent-requests').locator('tbody tr');
    expect(await recent.count()).toBe(Math.min(20, inSweden.length));
    for (const text of await recent.allInnerTexts()) expect(text).toMatch(/404[\s\S]*Sweden/);
    await page.getByRole('button', { name: 'Remove the country filter' }).click();
    await expect.poll(() => cardValue(page, 'requests')).toBe(comma(notFound.length));
    await page.getByRole('button', { name: 'Remove the status filter' }).click();
    await expect.poll(() => cardValue(page, 'requests')).toBe(comma(OF_KEY.length));
    await page.context().close();
  });

  test('a click on the map filters by the country', async () => {
    const page = await dashboard.open('/keys/key_0?range=7d&tz=UTC');
    await page.locator('[data-country="BR"]').click();
    const inBrazil = OF_KEY.filter((sample) => sample.country === 'BR').length;
    await expect.poll(() => cardValue(page, 'requests')).toBe(comma(inBrazil));
    expect(await page.getByTestId('filter-pills').innerText()).toContain('Brazil');
    await page.context().close();
  });

  test('a comparison stands beside the figures of the same days a week before', async () => {
    const page = await dashboard.open('/keys/key_0?range=7d&tz=UTC&bucket=day');
    await page.getByRole('button', { name: 'Compare' }).click();
    await page.waitForURL(/compare=1/);
    await page.getByText('7 days before').waitFor();
    await page.getByTestId('series-chart').getByRole('button', { name: /Table/ }).click();
    const headings = await page.getByTestId('series-chart').locator('thead th').allInnerTexts();
    expect(headings.at(-1)).toBe('7 days before');
    await page.context().close();
  });

  test('dragging over a chart zooms in, and "back" zooms out', async () => {
    const page = await dashboard.open('/keys/key_0?range=7d&tz=UTC');
    const box = (await page.getByTestId('series-chart').locator('.u-over').boundingBox())!;
    const y = box.y + box.height / 2;
    await page.mouse.move(box.x + box.width * 0.7, y);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width * 0.9, y, { steps: 4 });
    await page.mouse.up();
    await page.waitForURL(/from=.*to=/);
    await drawn(page);
    const url = new URL(page.url());
    const [from, to] = ['from', 'to'].map((name) => Date.parse(url.searchParams.get(name)!)) as [number, number];
    expect(to - from).toBeLessThan(2.5 * DAY_MS);
    const inside = OF_KEY.filter((sample) => sample.timestamp >= from && sample.timestamp < to).length;
    expect(await cardValue(page, 'requests')).toBe(comma(inside));
    await page.goBack();
    await expect.poll(() => cardValue(page, 'requests')).toBe(comma(OF_KEY.length));
    await page.context().close();
  });

  test.each([
    ['Europe/Paris', 'en-GB', 'europe', ['02:00 – 02:00 CEST', '02:00 – 03:00 CET']],
    ['America/New_York', 'en-US', 'america', ['1:00 AM – 1:00 AM EDT', '1:00 AM – 2:00 AM EST']],
    ['Asia/Kolkata', 'en-IN', 'europe', ['6:00 am – 7:00 am IST', '7:00 am – 8:00 am IST']],
  ] as const)('hours of the night the clocks change, for a viewer in %s', async (timezoneId, locale, night, hours) => {
    const change = CHANGES[night];
    const span = [change - 12 * 2 * HALF_HOUR, change + 12 * 2 * HALF_HOUR].map((at) => new Date(at).toISOString());
    const page = await dashboard.open(`/keys/key_night?from=${span[0]}&to=${span[1]}&bucket=hour`, {
      timezoneId,
      locale,
    });
    expect(page.url()).toContain(`tz=${timezoneId}`);
    await page.getByTestId('series-chart').getByRole('button', { name: /Table/ }).click();
    const rows = await countedRows(page);
    expect(rows).toEqual([
      { hour: expect.stringContaining(hours[1]), requests: '2' },
      { hour: expect.stringContaining(hours[0]), requests: '1' },
    ]);
    await page.context().close();
  });

  test('the explorer shows and exports exactly the filtered requests', async () => {
    const page = await dashboard.open('/requests?range=7d&tz=UTC&service=search');
    await page.getByRole('button', { name: '5xx' }).click();
    await page.waitForURL(/status=5xx/);
    await page.getByLabel('Filter by').selectOption('method');
    await page.keyboard.press('/');
    await page.getByTestId('filter-value').fill('get');
    await page.keyboard.press('Enter');
    await page.waitForURL(/method=GET/);
    await drawn(page);
    const wanted = TRAFFIC.filter((s) => s.service === 'search' && s.status >= 500 && s.method === 'GET')
      .map((sample) => sample.request_id)
      .sort();
    expect(wanted.length).toBeGreaterThan(100);
    const rows = page.getByTestId('requests-table').locator('tbody tr');
    expect(await rows.count()).toBe(100);
    // Twice before anything of it is drawn.
    await page.getByRole('button', { name: 'Show older requests' }).evaluate((button: HTMLElement) => {
      button.click();
      button.click();
    });
    await expect.poll(() => rows.count()).toBe(Math.min(200, wanted.length));

    const csv = await downloaded(page, 'export-csv');
    expect(csv.split('\n')[0]).toMatch(/^timestamp,key_id,method,/);
    expect((csv.match(/\breq_\d+x\b/g) ?? []).sort()).toEqual(wanted);
    const ndjson = await downloaded(page, 'export-ndjson');
    const lines = ndjson
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { request_id: string });
    expect(lines.map((line) => line.request_id).sort()).toEqual(wanted);
    expect(await rows.count()).toBe(Math.min(200, wanted.length));

    const held: Route[] = [];
    await page.route(/\/v1\/requests\?/, (route) => void held.push(route));
    await page.getByTestId('export-csv').press('Enter');
    await expect.poll(() => held.length).toBe(1);
    await drawnTwice(page);
    expect(await focused(page)).toBe('BUTTON Exporting…');
    await page.keyboard.press('Enter');
    await page.getByTestId('export-ndjson').press('Enter');
    await held[0]!.fulfill({ status: 503 });
    await page.getByRole('alert').waitFor();
    expect(held).toHaveLength(1);
    await page.context().close();
  });

  test('charts and a map whose code is gone say so, and the figures stay', async () => {
    const page = await dashboard.open('/requests?range=7d');
    await page.route(/\/assets\/(charts|world-map)-/, (route) => route.fulfill({ status: 404 }));
    await page.goto(`${dashboard.stack.url}/keys/key_0?range=7d&tz=UTC`);
    await drawn(page);
    const said = await page.getByRole('alert').allInnerTexts();
    expect(said).toEqual(
      ['The charts', 'The map'].map((what) => expect.stringContaining(`${what} could not be loaded`)),
    );
    expect(await page.getByTestId('countries-table').locator('tbody tr').count()).toBeGreaterThan(1);
    await page.goto(dashboard.stack.url);
    await drawn(page);
    expect(await page.getByRole('alert').allInnerTexts()).toEqual(said);
    await page.context().close();
  });

  test('a request opens with all its fields, and filters by one of them', async () => {
    const page = await dashboard.open('/requests?range=7d&tz=UTC&key_id=key_1');
    await page.getByTestId('requests-table').locator('.row-open').first().focus();
    await page.keyboard.press('Enter');
    const drawer = page.getByTestId('request-drawer');
    await drawer.waitFor();
    const first = await drawer.innerText();
    await page.keyboard.press('ArrowDown');
    await expect.poll(() => drawer.innerText()).not.toBe(first);
    const newer = drawer.getByRole('button', { name: 'Newer' });
    await newer.press('Enter');
    await expect.poll(() => drawer.innerText()).toBe(first);
    expect(await newer.evaluate(isFocused)).toBe(true);
    await drawer.getByRole('button', { name: 'Show only this route' }).press('Enter');
    await page.waitForURL(/route=/);
    await drawer.waitFor({ state: 'detached' });
    expect(await page.getByTestId('filter-value').evaluate(isFocused)).toBe(true);
    await drawn(page);
    const opener = page.getByTestId('requests-table').locator('.row-open').first();
    await opener.press('Enter');
    await drawer.waitFor();
    await page.keyboard.press('Escape');
    await drawer.waitFor({ state: 'detached' });
    expect(await opener.evaluate(isFocused)).toBe(true);
    await opener.press('Enter');
    await drawer.waitFor();
    await page.goBack();
    await drawer.waitFor({ state: 'detached' });
    expect(page.url()).not.toContain('route=');
    await page.context().close();
  });
});

const isFocused = (element: Element) => document.activeElement === element;

async function countedRows(page: Page): Promise<{ hour: string; requests: string }[]> {
  const rows = await page
    .getByTestId('series-chart')
    .locator('tbody tr')
    .evaluateAll((all) => all.map((row) => [...row.children].map((cell) => cell.textContent ?? '')));
  return rows
    .map(([hour = '', requests = '']) => ({ hour: hour.replaceAll(/[\u2009\u202F\u00A0]/g, ' '), requests }))
    .filter(({ requests }) => requests !== '0');
}

async function downloaded(page: Page, button: string): Promise<string> {
  const [download] = await Promise.all([page.waitForEvent('download'), page.getByTestId(button).click()]);
  return readFile(await download.path(), 'utf8');
}
