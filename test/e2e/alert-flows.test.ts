import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { writeAlertEvents } from '../../workers/alerts/evaluation/event-store.ts';
import { drawn, focused, type OpenDashboard, openDashboard } from '../dashboards/open-dashboard.ts';
import { untilRolledUp } from '../dashboards/rolled-up.ts';
import { errorAlert } from '../dashboards/scene.ts';
import { BROWSER_PATH } from '../support/browser.ts';

const NOW = Date.now();

describe.skipIf(BROWSER_PATH === '')('alerts in a browser', () => {
  let dashboard: OpenDashboard;
  const alert = errorAlert(NOW);

  beforeAll(async () => {
    // The evaluation would judge the alert again and close it while it is being looked at.
    dashboard = await openDashboard({ ALERT_EVALUATION_CRON: '0 0 1 1 *' });
    const body = { name: 'Checkout', organization_id: 'acme', environment: 'production' };
    await dashboard.stack.call('/v1/keys/key_checkout', { method: 'PUT', body });
    const records = Array.from({ length: 40 }, (_, index) => ({
      key_id: 'key_checkout',
      timestamp: NOW - (index + 1) * 600_000,
      status: index % 2 ? 503 : 200,
      path: '/a',
    }));
    await dashboard.stack.send(records);
    await untilRolledUp(dashboard.stack.store, records.length);
    await writeAlertEvents(dashboard.stack.store, [alert]);
  });
  afterAll(() => dashboard?.stop());

  test('the inbox leads to why it fired, with what was expected, and it can be acknowledged', async () => {
    const page = await dashboard.open('/alerts?kind=error_rate');
    const entry = page.getByTestId('inbox').locator('> li').filter({ hasText: 'key_checkout' });
    expect(await entry.innerText()).toContain(alert.evidence.summary);
    await entry.getByRole('link', { name: alert.evidence.summary }).press('Enter');
    await expect.poll(() => focused(page)).toBe('H1 High error rate');
    await page.getByTestId('evidence-chart').locator('canvas').waitFor();
    await page.getByTestId('evidence-chart').getByRole('button', { name: /Table/ }).click();
    const rows = page.getByTestId('evidence-chart').locator('tbody tr');
    expect(await rows.count()).toBe(36);
    expect(await rows.first().innerText()).toMatch(/2\d(\.\d)?%[\s\S]*0\.5%/);
    const contribution = page.getByTestId('contributions').getByRole('link').first();
    const address = new URL((await contribution.getAttribute('href'))!, dashboard.stack.url);
    expect(Object.fromEntries(address.searchParams)).toMatchObject({
      key_id: 'key_checkout',
      method: 'POST',
      route: '/v2/payments/{id}/capture',
    });
    await page.getByRole('button', { name: 'Acknowledge' }).press('Enter');
    await expect.poll(() => page.getByTestId('alert-history').innerText()).toContain('Acknowledged');
    await expect.poll(() => focused(page)).toBe('H1 High error rate');
    expect(await page.getByRole('button', { name: 'Acknowledge' }).count()).toBe(0);
    await page.context().close();
  });

  test('an alert is acknowledged on a later page, which stays, also when the first is asked for again', async () => {
    const [stored] = (await dashboard.stack.call('/v1/alerts')).json.data;
    const named = (name: string) => ({ ...stored, alert_id: name, summary: name, phase: 'firing', acknowledged: null });
    const page = await dashboard.open('/audit');
    await page.clock.install();
    const newest = ['b', 'a'];
    await page.route(/\/v1\/alerts(\?|\/)/, (route) => {
      const url = new URL(route.request().url());
      const seen = { by: 'somebody', at: stored.opened_at };
      if (url.pathname.endsWith('/acknowledge')) return route.fulfill({ json: { ...named('y'), acknowledged: seen } });
      const names = url.searchParams.has('cursor') ? ['z', 'y', 'x'] : newest;
      const next_cursor = url.searchParams.has('cursor') ? null : 'next';
      return route.fulfill({ json: { data: names.map(named), next_cursor } });
    });
    await page.goto(`${dashboard.stack.url}/alerts`);
    await drawn(page);
    const names = () => page.getByTestId('inbox').locator('> li .inbox-what > a').allInnerTexts();
    await page.getByRole('button', { name: 'Show older alerts' }).click();
    await expect.poll(names).toEqual(['b', 'a', 'z', 'y', 'x']);
    const entry = page
      .getByTestId('inbox')
      .locator('> li')
      .filter({ has: page.getByRole('link', { name: 'y', exact: true }) });
    await entry.getByRole('button', { name: 'Acknowledge' }).press('Enter');
    await entry.getByText('seen').waitFor();
    expect(await focused(page)).toBe('A y');
    expect(await names()).toEqual(['b', 'a', 'z', 'y', 'x']);
    newest.splice(0, 2, 'c', 'b');
    await page.clock.runFor(60_000);
    await expect.poll(names).toEqual(['c', 'b', 'a', 'z', 'y', 'x']);
    expect(await entry.getByRole('button', { name: 'Acknowledge' }).count()).toBe(0);
    await page.context().close();
  });

  test('what others did to an alert of a later page shows when the list is asked for again', async () => {
    const [stored] = (await dashboard.stack.call('/v1/alerts')).json.data;
    const seenBySomebody = { by: 'somebody', at: stored.opened_at };
    let seen = '';
    const named = (name: string) => ({
      ...stored,
      ...{ alert_id: name, summary: name, phase: 'firing', acknowledged: name === seen ? seenBySomebody : null },
    });
    const page = await dashboard.open('/audit');
    await page.clock.install();
    await page.route(/\/v1\/alerts\?/, (route) => {
      const query = new URL(route.request().url()).searchParams;
      const from = Number(query.get('cursor') ?? 0);
      const to = Math.min(120, from + Number(query.get('limit')));
      const data = Array.from({ length: to - from }, (_, n) => named(`n${from + n}`));
      return route.fulfill({ json: { data, next_cursor: to < 120 ? String(to) : null } });
    });
    await page.goto(`${dashboard.stack.url}/alerts`);
    await drawn(page);
    const entries = page.getByTestId('inbox').locator('> li');
    await page.getByRole('button', { name: 'Show older alerts' }).click();
    await expect.poll(() => entries.count()).toBe(100);
    const entry = entries.filter({ has: page.getByRole('link', { name: 'n90', exact: true }) });
    expect(await entry.getByRole('button', { name: 'Acknowledge' }).count()).toBe(1);
    seen = 'n90';
    await expect
      .poll(async () => {
        await page.clock.runFor(30_000);
        return entry.getByRole('button', { name: 'Acknowledge' }).count();
      })
      .toBe(0);
    expect(await entries.count()).toBe(100);
    expect(await page.getByRole('button', { name: 'Show older alerts' }).count()).toBe(1);
    await page.context().close();
  });

  test('what was sent about an alert is offered to those who may see it', async () => {
    const token = await dashboard.stack.token({ name: 'one key', scopes: ['read'], key_id: 'key_checkout' });
    for (const [options, offered] of [
      [{}, 1],
      [{ token }, 0],
    ] as const) {
      const page = await dashboard.open(`/alerts/${alert.alert_id}`, options);
      await page.getByTestId('alert-history').waitFor();
      await expect.poll(() => page.getByRole('link', { name: 'What was sent' }).count()).toBe(offered);
      await page.context().close();
    }
  });

  test('alerts and changes of the key are marks on its time axis, and lead to the alert', async () => {
    const page = await dashboard.open('/keys/key_checkout?range=24h');
    const marks = page.getByTestId('marks');
    await expect.poll(() => marks.locator('li').count()).toBeGreaterThan(1);
    const titles = await marks.locator('li').evaluateAll((all) => all.map((mark) => mark.getAttribute('title')));
    expect(titles.join('\n')).toContain('registered');
    await marks.getByRole('link', { name: /failed with 5xx/ }).click();
    await page.getByTestId('alert-summary').waitFor();
    await page.context().close();
  });

  test('the overview names open alerts', async () => {
    const page = await dashboard.open('/');
    expect(await page.getByTestId('firing-alerts').innerText()).toContain('failed with 5xx');
    await page.route(/\/v1\/alerts\?/, (route) => route.fulfill({ status: 500, body: '' }));
    await page.getByRole('button', { name: 'Refresh' }).click();
    await page.getByText('The open alerts could not be loaded.').waitFor();
    await page.context().close();
  });

  test('lists of rules and channels keep what is being typed', async () => {
    const page = await dashboard.open('/alert-rules/new?kind=near_limit');
    const at = async (path: string, label: string) => {
      await page.goto(dashboard.stack.url + path);
      const field = page.getByLabel(label, { exact: true });
      await field.focus();
      return field;
    };
    const presses = async (key: string, times: number) => {
      for (let n = 0; n < times; n++) await page.keyboard.press(key);
    };
    const steps = await at('/alert-rules/new?kind=near_limit', 'Tell at, % of the limit');
    await page.keyboard.type('80, 90');
    await presses('Backspace', 2);
    await page.keyboard.type('5');
    expect(await steps.inputValue()).toBe('80, 5');
    const countries = await at('/alert-rules/new?kind=new_country', 'Expected countries');
    await page.keyboard.type('se, de');
    expect(await countries.inputValue()).toBe('se, de');
    const rate = await at('/alert-rules/new?kind=error_rate', 'Server errors from, %');
    await page.keyboard.type('1.05');
    expect(await rate.inputValue()).toBe('1.05');

    const addresses = await at('/channels/new', 'Addresses');
    await page.keyboard.type('a@x.test, b@x.test, c@x.test');
    await presses('ArrowLeft', ', c@x.test'.length);
    await presses('Backspace', 'b@x.test'.length);
    await page.keyboard.type('d@x.test');
    expect(await addresses.inputValue()).toBe('a@x.test, d@x.test, c@x.test');
    for (const [label, text] of [
      ['Only organizations', 'acme, globex'],
      ['Only keys', 'key_a, key_b'],
    ] as const) {
      await page.getByLabel(label).focus();
      await page.keyboard.type(text);
      expect(await page.getByLabel(label).inputValue()).toBe(text);
    }
    await page.context().close();
  });

  test('a rule says what it would have raised while it is written, and changes what holds', async () => {
    const page = await dashboard.open('/alert-rules');
    const at = new Date(NOW).toISOString();
    const fired = { key_id: 'key_checkout', scope: '', at, ended_at: null, severity: 'warning', summary: 'Found' };
    const json = { days: 7, fired: 1, alerts: [fired], keys_in_scope: 1, keys_looked_at: 1, cut: '' };
    await page.route(/\/preview$/, (route) => route.fulfill({ json }), { times: 1 });
    await page.getByTestId('defaults-table').getByRole('link', { name: 'Change High error rate' }).click();
    const verdict = page.getByTestId('rule-preview').getByTestId('verdict');
    await expect.poll(() => verdict.innerText()).toBe('It would have fired 1 time in the last 7 days.');
    const found = page.getByTestId('rule-preview').getByRole('link');
    // Beside what is not saved yet.
    expect([await found.getAttribute('target'), await found.textContent()]).toEqual([
      '_blank',
      expect.stringMatching(/ \(new tab\)$/),
    ]);
    await page.getByLabel('Name').fill('Only half of everything');
    await page.getByLabel('Server errors from, %').fill('50');
    await expect.poll(() => verdict.innerText()).toBe('It would not have fired in the last 7 days.');
    await page.getByTestId('save').click();
    await page.waitForURL(/alert-rules\/(?!new)/);
    await page.goto(`${dashboard.stack.url}/alert-rules`);
    await drawn(page);
    const row = page.getByTestId('rules-table').locator('tbody tr');
    expect(await row.innerText()).toContain('server errors from 50%');
    await page.context().close();
    expect(dashboard.errors).toEqual([]);
  });
});
