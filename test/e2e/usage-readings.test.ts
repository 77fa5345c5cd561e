import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { alertIdOf, alertKeyOf, eventIdOf } from '../../workers/alerts/alert.ts';
import { writeAlertEvents } from '../../workers/alerts/evaluation/event-store.ts';
import { cardValue, drawn, type OpenDashboard, openDashboard } from '../dashboards/open-dashboard.ts';
import { errorAlert } from '../dashboards/scene.ts';
import { BROWSER_PATH } from '../support/browser.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const NOW = Date.now();
const FAST = 3_000;
const LIMIT = 1_000_000;

/** All in one bucket, so that what the chart reads of it is known: 2 of 3,000 failed. */
const RECORDS = Array.from({ length: FAST }, (_, index) => ({
  key_id: 'key_fast',
  timestamp: Math.floor((NOW - 2 * HOUR_MS) / HOUR_MS) * HOUR_MS + index,
  method: 'GET',
  path: '/cached',
  status: index < 2 ? 503 : 200,
  latency_ms: 0.24,
}));

/** Said two days ago that the limit would be used up two hours later. It was not, and the alert is still open. */
function oldLimitAlert() {
  const openedAtMs = NOW - 2 * DAY_MS;
  const alertKey = alertKeyOf('near_limit', 'key_fast', 'day');
  const fullAt = new Date(openedAtMs + 2 * HOUR_MS).toISOString();
  return {
    ...errorAlert(NOW),
    event_id: eventIdOf(alertKey, openedAtMs, 'opened'),
    alert_key: alertKey,
    alert_id: alertIdOf(alertKey, openedAtMs),
    at: new Date(openedAtMs).toISOString(),
    kind: 'near_limit' as const,
    scope: 'day',
    key_id: 'key_fast',
    severity: 'warning' as const,
    evidence: {
      summary: '90 % of its daily limit is used.',
      value: 90,
      expected: 100,
      unit: 'percent' as const,
      limit: { period: 'day' as const, used: 0.9 * LIMIT, limit: LIMIT, stepPercent: 90, fullAt },
    },
  };
}

describe.skipIf(BROWSER_PATH === '')('what the usage tab says', () => {
  let dashboard: OpenDashboard;

  beforeAll(async () => {
    dashboard = await openDashboard({ ALERT_EVALUATION_CRON: '0 0 1 1 *' });
    const body = { name: 'Fast key', organization_id: 'acme', limits: { per_day: LIMIT } };
    await dashboard.stack.call('/v1/keys/key_fast', { method: 'PUT', body });
    await dashboard.stack.send(RECORDS);
    await dashboard.stack.untilCounted(FAST);
    await writeAlertEvents(dashboard.stack.store, [oldLimitAlert()]);
  });
  afterAll(() => dashboard?.stop());

  test('when a limit is used up is the forecast of now, not that of an old alert', async () => {
    const page = await dashboard.open('/keys/key_fast?range=7d&tz=UTC');
    await page
      .getByTestId('marks')
      .getByRole('link', { name: /daily limit/ })
      .waitFor();
    const card = await page.getByTestId('card-limit').innerText();
    expect(card).toMatch(/of 1m a day/i);
    expect(card).not.toContain('used up');
    await page.context().close();
  });

  test('small error rates and latencies below a millisecond are read in their own digits', async () => {
    const page = await dashboard.open('/keys/key_fast?range=24h&tz=UTC');
    for (const [name, reading] of [
      ['Error rate', '0.067%'],
      ['Latency', '0.24 ms'],
    ] as const) {
      const chart = page.getByRole('figure', { name });
      expect(await chart.locator('figcaption').innerText()).toContain(reading);
      expect(await chart.locator('.legend').innerText()).toContain(reading);
      await chart.getByRole('group').focus();
      for (let steps = 0; steps < 100 && !(await shown(chart.locator('.tooltip'))).includes(reading); steps++) {
        await page.keyboard.press('ArrowLeft');
      }
      expect(await shown(chart.locator('.tooltip'))).toContain(reading);
      await chart.getByRole('button', { name: /Table/ }).click();
      expect(await chart.locator('tbody').innerText()).toContain(reading);
    }
    expect(await cardValue(page, 'latency')).toBe('0.24 ms');
    await page.context().close();
  });

  const fixed = `from=${new Date(NOW - DAY_MS).toISOString()}&to=${new Date(NOW).toISOString()}&tz=UTC`;
  test.each([
    [`/keys/key_fast?${fixed}`, /key_fast\/usage\?/],
    [`/keys/key_fast?${fixed}`, /\/v1\/requests\?/],
    [`/requests?${fixed}`, /\/v1\/requests\?/],
    [`/?${fixed}`, /\/v1\/usage\?group_by=status&.*include=series/],
    [`/?${fixed}`, /\/v1\/usage\?group_by=route/],
  ])('"Refresh" asks anew for a range that is fixed: %s, %s', async (path, asks) => {
    const page = await dashboard.open(path);
    const asked = page.waitForRequest(asks);
    await page.getByRole('button', { name: 'Refresh' }).click();
    await asked;
    await page.context().close();
  });

  test.each([/key_fast\/usage\?/, /key_fast\/history\?/, /\/v1\/requests\?/, /\/v1\/keys\/key_fast$/])(
    'live figures wait for every part: %s',
    async (asks) => {
      const page = await dashboard.open('/audit');
      await page.clock.install();
      let asked = 0;
      // The second answer never comes.
      await page.route(asks, (route) => (asked++ === 1 ? undefined : route.continue()));
      const first = page.waitForResponse(asks);
      await page.goto(`${dashboard.stack.url}/keys/key_fast?range=1h&live=1`);
      await drawn(page);
      await (await first).finished();
      const old = page.getByText(/does not answer at present\. What you see is as of/);
      await expect.poll(() => page.clock.runFor(60_000).then(() => old.count())).toBe(1);
      expect(asked).toBe(2);
      await page.context().close();
    },
  );

  test('an earlier period that is refused says why, in the chart and in its table', async () => {
    const page = await dashboard.open('/keys/key_fast?range=30d&tz=UTC&status=503&compare=1');
    const notice = page.getByTestId('series-chart').getByTestId('comparison-missing');
    expect(await notice.innerText()).toMatch(/^30 days before could not be loaded\. .*drop the filter/);
    expect(await notice.getByRole('button').count()).toBe(0);
    await page.getByTestId('series-chart').getByRole('button', { name: /Table/ }).click();
    expect(await notice.isVisible()).toBe(true);
    expect(await cardValue(page, 'requests')).toBe('2');
    await page.context().close();
  });

  test('an earlier period that failed can be asked for again', async () => {
    const page = await dashboard.open('/keys/key_fast?range=7d&tz=UTC');
    const isEarlier = (url: URL) =>
      url.pathname.endsWith('/usage') && Date.parse(url.searchParams.get('to')!) < NOW - 5 * DAY_MS;
    await page.route(isEarlier, (route) => route.fulfill({ status: 503, body: '' }));
    await page.getByRole('button', { name: 'Compare' }).click();
    const notice = page.getByTestId('comparison-missing');
    expect(await notice.innerText()).toContain('The store is not reachable right now');
    await page.unroute(isEarlier);
    await notice.getByRole('button', { name: 'Try again' }).click();
    await page.getByTestId('series-chart').locator('.legend').getByText('7 days before').waitFor();
    expect(await notice.count()).toBe(0);
    await page.context().close();
  });

  test('a longer range leaves a bucket that would be refused', async () => {
    const page = await dashboard.open('/keys/key_fast?range=1h&tz=UTC&bucket=minute');
    await page.getByRole('button', { name: '7d', exact: true }).click();
    await page.waitForURL(/range=7d/);
    await expect.poll(() => cardValue(page, 'requests')).toBe(FAST.toLocaleString('en-GB'));
    expect(new URL(page.url()).searchParams.get('bucket')).toBe('auto');
    await page.context().close();
  });

  test.each([
    ['export-csv', 'text/csv', 'time,path\n'],
    ['export-ndjson', 'application/x-ndjson', ''],
  ])('%s says that a file was cut, and of a whole one nothing', async (button, type, heading) => {
    const page = await dashboard.open('/requests?range=24h&tz=UTC');
    await saved(page, button);
    expect(await page.getByTestId('export-note').count()).toBe(0);
    await page.route('**/v1/requests?*', (route) =>
      route.request().headers().accept === type
        ? route.fulfill({ contentType: type, body: heading + 'x\n'.repeat(1_000_000) })
        : route.continue(),
    );
    await saved(page, button);
    const note = 'The file ends at 1,000,000 rows: narrow the range for the rest';
    await page.getByTestId('export-note').getByText(note).waitFor();
    expect(await page.getByTestId(button).getAttribute('title')).toContain('1,000,000 at most');
    await page.context().close();
  });
});

async function shown(tooltip: ReturnType<Page['locator']>): Promise<string> {
  return (await tooltip.count()) > 0 ? tooltip.innerText() : '';
}

/** A file was handed to the browser, and the page is done with it. */
async function saved(page: Page, button: string): Promise<void> {
  await Promise.all([page.waitForEvent('download'), page.getByTestId(button).click()]);
  await expect.poll(() => page.getByTestId(button).isEnabled()).toBe(true);
}
