import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { drawn, drawnTwice, focused, type OpenDashboard, openDashboard } from '../dashboards/open-dashboard.ts';
import { BROWSER_PATH } from '../support/browser.ts';

const HOSTILE = '<img src=x onerror="window.harmed=1">\u202Egnp.exe\u202C';

describe.skipIf(BROWSER_PATH === '')('pages of those who run the keys', () => {
  let dashboard: OpenDashboard;
  let receiver: Server;
  const received: string[] = [];

  beforeAll(async () => {
    receiver = createServer((request, response) => {
      received.push(String(request.headers['webhook-id']));
      request.resume().on('end', () => response.writeHead(204).end());
    });
    await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
    dashboard = await openDashboard({ WEBHOOK_ALLOW_PRIVATE: '127.0.0.1/32' });
    const put = (id: string, body: object) => dashboard.stack.call(`/v1/keys/${id}`, { method: 'PUT', body });
    const soon = new Date(Date.now() + 5 * 86_400_000).toISOString();
    await put('key_acme', { name: 'Acme key', organization_id: 'acme', expires_at: soon });
    await put('key_leaked', { name: HOSTILE, organization_id: 'acme' });
    await put('key_globex', { name: 'Globex key', organization_id: 'globex' });
    const leak = { method: 'POST', body: { reason: HOSTILE } };
    await dashboard.stack.call('/v1/keys/key_leaked/report-leak', leak);
  });
  afterAll(async () => {
    await dashboard?.stop();
    receiver?.close();
  });

  const statusOf = async (keyId: string) => (await dashboard.stack.call(`/v1/keys/${keyId}`)).json.status;

  test('a policy is previewed while it is written, run, and its run undone', async () => {
    const page = await dashboard.open('/policies');
    await page.getByRole('link', { name: 'New policy' }).first().click();
    await page.getByLabel('Deactivate keys that are').selectOption('leaked');
    expect(await page.getByLabel('Warn, days before').inputValue()).toBe('');
    await page.getByLabel('Name').fill('Leaks');
    const verdict = page.getByTestId('policy-preview').getByTestId('verdict');
    await expect.poll(() => verdict.innerText()).toBe('It would deactivate this 1 key.');
    expect(await page.getByTestId('policy-preview').innerText()).toContain('reported as leaked');
    expect(await statusOf('key_leaked')).toBe('active');
    const tab = page.context().waitForEvent('page');
    await page.getByTestId('policy-preview').getByRole('link').click();
    await (await tab).waitForURL(/keys\/key_leaked/);
    expect(await page.getByLabel('Name').inputValue()).toBe('Leaks');

    await page.getByTestId('save').click();
    await page.waitForURL(/policies\/[0-9a-f-]{36}/);
    await page.getByRole('button', { name: 'Run now' }).click();
    await page.getByTestId('confirm-action').click();
    const runs = page.getByTestId('policy-runs').locator('tbody tr');
    await expect.poll(() => runs.count()).toBe(1);
    expect(await statusOf('key_leaked')).toBe('inactive');
    await expect.poll(() => verdict.innerText()).toContain('No key matches');

    await runs.getByRole('button', { name: 'Undo' }).click();
    await page.getByTestId('confirm-action').click();
    await page.getByTestId('undone').waitFor();
    expect(await page.getByTestId('undone').innerText()).toBe('1 keys are active again.');
    expect(await statusOf('key_leaked')).toBe('active');
    await page.context().close();
  });

  test('lists and numbers of a policy keep what is being typed, and are saved as they read', async () => {
    const page = await dashboard.open('/policies/new');
    await page.getByLabel('Deactivate keys that are').selectOption('abusive');
    const typed = async (label: string, ...keys: string[]) => {
      const field = page.getByLabel(label, { exact: true });
      await field.focus();
      await page.keyboard.press('End');
      for (const key of keys)
        await (key.length > 1 && /^[A-Z]/.test(key) ? page.keyboard.press(key) : page.keyboard.type(key));
      return field.inputValue();
    };
    expect(await typed('Warn, days before', '7, 1', 'Backspace', '3')).toBe('7, 3');
    expect(await typed('Never these keys', 'acme, inc', 'Enter', 'key_b')).toBe('acme, inc\nkey_b');
    expect(await typed('Times its limit per minute', '1.05')).toBe('1.05');
    expect(await typed('Client errors, %', 'Backspace', 'Backspace', '80.05')).toBe('80.05');
    expect(await typed('Alert open for, minutes', '60')).toBe('60');
    expect(await typed('Most keys in one run', 'Backspace', 'Backspace', 'Backspace', '50')).toBe('50');
    await page.getByLabel('Name').fill('Typed');
    await page.getByTestId('save').click();
    await page.waitForURL(/policies\/[0-9a-f-]{36}/);
    const saved = await dashboard.stack.call(`/v1${new URL(page.url()).pathname}`);
    expect(saved.json).toMatchObject({
      warn_days: [7, 3],
      exempt_key_ids: ['acme, inc', 'key_b'],
      max_per_run: 50,
      settings: { limit_factor: 1.05, client_error_rate: 0.8005, anomaly_minutes: 60 },
    });
    await page.goto(`${dashboard.stack.url}/policies`);
    await drawn(page);
    const row = page.getByTestId('policies-table').locator('tbody tr').filter({ hasText: 'Typed' });
    expect(await row.innerText()).toContain('an alert of their behaviour unacknowledged for 60 minutes');
    await page.context().close();
  });

  test('a limit that was emptied and days that are none are asked for, and nothing else is saved in their place', async () => {
    const policies = async () => (await dashboard.stack.call('/v1/policies')).json.data.length;
    const before = await policies();
    const page = await dashboard.open('/policies/new');
    const limit = page.getByLabel('Most keys in one run');
    await limit.press('Control+A');
    await limit.press('Backspace');
    const words = 'Say how many keys one run may deactivate at most.';
    await expect.poll(() => page.getByTestId('policy-preview').innerText()).toContain(words);
    await page.getByTestId('save').click();
    await expect.poll(() => limit.getAttribute('aria-invalid')).toBe('true');
    expect(await page.getByRole('alert').allInnerTexts()).toEqual([words, words]);
    expect([await limit.inputValue(), await policies()]).toEqual(['', before]);
    await limit.fill('100');
    const warn = page.getByLabel('Warn, days before');
    await warn.fill('7d, 1d');
    await expect.poll(() => page.getByTestId('policy-preview').innerText()).toContain('Whole days, as 7, 1');
    await page.getByTestId('save').click();
    await expect.poll(() => warn.getAttribute('aria-invalid')).toBe('true');
    expect([await warn.inputValue(), await policies()]).toEqual(['7d, 1d', before]);
    await page.context().close();
  });

  test('a field that the api refuses is named where it stands', async () => {
    const page = await dashboard.open('/policies/new');
    await page.getByLabel('Not used for, days').fill('');
    await page.getByLabel('Never used in, days').fill('');
    await page.getByTestId('save').click();
    await page.getByRole('alert').first().waitFor();
    expect(await page.getByLabel('Not used for, days').getAttribute('aria-invalid')).toBe('true');
    await page.context().close();
  });

  test('a button that is pressed keeps the focus while it works and afterwards', async () => {
    const page = await dashboard.open('/policies/new');
    let answer!: () => void;
    const answered = new Promise<void>((resolve) => {
      answer = resolve;
    });
    let asked = 0;
    await page.route(/\/v1\/policies$/, async (route) => {
      asked++;
      await answered;
      await route.fulfill({ status: 503, json: { title: 'Later' } });
    });
    await page.getByTestId('save').press('Enter');
    await page.getByRole('button', { name: 'Saving…' }).waitFor();
    await drawnTwice(page);
    expect(await focused(page)).toBe('BUTTON Saving…');
    await page.keyboard.press('Enter');
    answer();
    await page.getByRole('alert').waitFor();
    expect(await focused(page)).toBe('BUTTON Save, switched off');
    expect(asked).toBe(1);
    await page.context().close();
  });

  test('a page whose code is gone after an update says so and offers to load it anew', async () => {
    const page = await dashboard.open('/keys');
    await page.route(/\/assets\/pages-/, (route) => route.fulfill({ status: 404 }));
    await page.getByRole('link', { name: 'Policies' }).click();
    const said = page.getByRole('alert');
    await expect.poll(() => said.innerText()).toContain('probably because Keytally was updated');
    await page.unroute(/\/assets\/pages-/);
    await said.getByRole('button', { name: 'Reload' }).click();
    await page.getByRole('heading', { name: 'Deactivation policies' }).waitFor();
    await page.context().close();
  });

  test('a letter typed just as the address is written stays in the search field', async () => {
    const page = await dashboard.open('/keys');
    const field = page.getByPlaceholder(/Search by name/);
    await page.evaluate(() => {
      const write = history.replaceState.bind(history);
      history.replaceState = (...state) => {
        write(...state);
        const input = document.querySelector<HTMLInputElement>('input[type="search"]')!;
        if (input.value !== 'ab') return;
        input.value = 'abc';
        input.dispatchEvent(new InputEvent('input', { bubbles: true }));
      };
    });
    await field.fill('ab');
    await page.waitForURL(/search=abc$/);
    expect(await field.inputValue()).toBe('abc');
    await page.getByRole('link', { name: 'Keys', exact: true }).click();
    await expect.poll(() => field.inputValue()).toBe('');
    await page.context().close();
  });

  test('a token is shown once, works, and is refused after it was revoked', async () => {
    const page = await dashboard.open('/tokens');
    await page.getByTestId('new-token').click();
    await page.getByLabel('Name').fill('From the page');
    await page.getByRole('button', { name: 'Make token' }).click();
    const token = await page.getByTestId('secret-once').locator('code').innerText();
    expect(token).toMatch(/^kt_\w{40}$/);
    await dashboard.stack.send([{ key_id: 'key_acme', status: 200 }], { token });
    await page.reload();
    await drawn(page);
    expect(await page.locator('body').innerText()).not.toContain(token);
    await page.getByRole('button', { name: 'Revoke From the page' }).click();
    await page.getByTestId('confirm-action').click();
    await page.getByTestId('confirm').waitFor({ state: 'detached' });
    await expect
      .poll(async () => (await dashboard.stack.call('/v1/requests', { method: 'POST', token, body: [{}] })).status)
      .toBe(401);
    await page.context().close();
  });

  test('a dialog gives the focus back to what opened it, or to the heading when that is gone', async () => {
    const page = await dashboard.open('/tokens');
    const dialog = page.getByRole('dialog');
    const closedBy = async (close: () => Promise<void>) => {
      await dialog.waitFor();
      await close();
      await dialog.waitFor({ state: 'detached' });
      return focused(page);
    };
    const opener = page.getByTestId('new-token');
    const cancel = () => dialog.getByRole('button', { name: 'Cancel' }).click();
    const esc = () => page.keyboard.press('Escape');
    for (const close of [cancel, esc]) {
      await opener.press('Enter');
      expect(await closedBy(close)).toBe('BUTTON New token');
    }
    await opener.press('Enter');
    await page.getByLabel('Name').fill('Soon gone');
    expect(await closedBy(() => page.keyboard.press('Enter'))).toBe('BUTTON New token');

    const revoke = page.getByRole('button', { name: 'Revoke Soon gone' });
    for (const close of [cancel, esc]) {
      await revoke.press('Enter');
      expect(await closedBy(close)).toBe('BUTTON Revoke Soon gone');
    }
    await revoke.press('Enter');
    await page.getByTestId('confirm-action').press('Enter');
    await revoke.waitFor({ state: 'detached' });
    await expect.poll(() => focused(page)).toBe('H1 Tokens');

    await page.goto(`${dashboard.stack.url}/silences?key_id=key_acme`);
    expect(await closedBy(cancel)).toBe('H1 Alerts');
    await page.getByTestId('new-silence').press('Enter');
    expect(await closedBy(esc)).toBe('BUTTON New silence');
    await page.context().close();
  });

  test('a deleted policy leads to the heading of the list', async () => {
    const body = { name: 'Short-lived', kind: 'leaked' };
    const { policy_id } = (await dashboard.stack.call('/v1/policies', { method: 'POST', body })).json;
    const page = await dashboard.open(`/policies/${policy_id}`);
    await page.getByRole('button', { name: 'Delete' }).press('Enter');
    await page.getByTestId('confirm-action').press('Enter');
    await expect.poll(() => focused(page)).toBe('H1 Deactivation policies');
    await page.context().close();
  });

  test('a dialog that is opened again at once stays open', async () => {
    const page = await dashboard.open('/tokens');
    await page.getByTestId('new-token').click();
    await page.getByRole('dialog').waitFor();
    await page.evaluate(async () => {
      const button = (text: string) =>
        [...document.querySelectorAll('button')].find((one) => one.textContent === text)!;
      const first = document.querySelector('dialog')!;
      // The event of closing comes as a task of its own, after the second dialog is there.
      const closed = new Promise((done) => first.addEventListener('close', done));
      button('Cancel').click();
      while (first.isConnected) await null;
      button('New token').click();
      await closed;
      await new Promise((done) => setTimeout(done));
    });
    expect(await page.getByRole('dialog').count()).toBe(1);
    await page.context().close();
  });

  test('connecting: the snippet names this address, and the page says when records arrive and why some do not', async () => {
    const page = await dashboard.open('/connect?gateway=kong');
    expect(await page.locator('pre').first().innerText()).toContain(`${dashboard.stack.url}/v1/ingest/kong`);
    const status = page.getByTestId('source-status');
    expect(await status.innerText()).toContain('Nothing has arrived');
    const entry = {
      request: { method: 'GET', uri: '/a' },
      response: { status: 200 },
      started_at: Date.now(),
      latencies: {},
    };
    await dashboard.stack.call('/v1/ingest/kong', { method: 'POST', body: [entry, { response: { status: 'odd' } }] });
    await expect.poll(() => status.innerText()).toMatch(/Received 1 record, rejected 1, the last one \d+ s ago\./);
    // What is read out changes with the records, not with the time.
    expect(await status.getByRole('status').innerText()).toBe('Received 1 record, rejected 1');
    expect(await status.innerText()).toContain('status');
    await page.context().close();
  });

  test('the audit log filters, keeps its filters in the address, and shows hostile text as text', async () => {
    const page = await dashboard.open('/audit');
    await page.getByLabel('What').selectOption('key.');
    await page.getByPlaceholder('Search by key').fill('key_leaked');
    await page.waitForURL(/action=key\.&search=key_leaked|search=key_leaked&action=key\./);
    await page.reload();
    await drawn(page);
    const entries = page.getByTestId('audit').locator('> li');
    const texts = await entries.allInnerTexts();
    expect(texts.length).toBeGreaterThan(1);
    const time = entries.first().locator('time');
    // Entries are kept for five years.
    expect(await time.innerText()).toContain((await time.getAttribute('datetime'))!.slice(0, 4));
    for (const text of texts) expect(text).toContain('key_leaked');
    expect(await page.getByTestId('audit').innerText()).toContain('<img src=x');
    await entries.last().getByRole('button', { name: 'Changes' }).click();
    expect(await page.evaluate(() => (window as unknown as { harmed?: number }).harmed)).toBeUndefined();
    await page.context().close();
  });

  test('a webhook channel shows its secret once, and its test message arrives', async () => {
    const page = await dashboard.open('/channels/new');
    await page.getByLabel('Name').fill('Ops');
    await page.getByLabel('Type').selectOption('webhook');
    await page.getByLabel('Address').fill(`http://127.0.0.1:${(receiver.address() as AddressInfo).port}/hook`);
    await page.getByTestId('save').click();
    expect(await page.getByTestId('secret-once').locator('code').innerText()).toMatch(/^whsec_/);
    await page.getByTestId('send-test').click();
    await expect.poll(() => page.getByTestId('test-result').innerText()).toMatch(/Arrived in/);
    expect(received).toEqual([expect.stringMatching(/^test_/)]);

    const button = page.getByTestId('send-test');
    await page.getByLabel('Name').fill('Operations');
    expect([await button.getAttribute('aria-disabled'), await button.getAttribute('title')]).toEqual([
      'true',
      'Save first',
    ]);
    await button.click({ force: true });
    await page.getByTestId('save').click();
    await expect.poll(() => button.getAttribute('aria-disabled')).toBe('false');
    expect(await page.getByTestId('test-result').innerText()).toBe('');
    expect(received).toHaveLength(1);
    await page.goto(`${dashboard.stack.url}/channels`);
    await drawn(page);
    expect(await page.getByTestId('channels-table').innerText()).toContain('127.0.0.1');
    expect(await page.content()).not.toContain('whsec_');
    await page.context().close();
  });

  test('a silence is made, listed and ended', async () => {
    const page = await dashboard.open('/silences?key_id=key_acme');
    expect(await page.getByLabel('Keys', { exact: true }).inputValue()).toBe('key_acme');
    await page.getByLabel('Why').fill('Planned work');
    await page.getByRole('button', { name: 'Silence', exact: true }).click();
    const rows = page.getByTestId('silences-table').locator('tbody tr');
    await expect.poll(() => rows.count()).toBe(1);
    await rows.getByRole('button', { name: 'End now' }).press('Enter');
    await expect.poll(() => rows.count()).toBe(0);
    await expect.poll(() => focused(page)).toBe('H1 Alerts');

    await page.goto(`${dashboard.stack.url}/silences?key_id=${encodeURIComponent('Acme, Inc')}`);
    await page.getByLabel('Why').fill('Planned work');
    await page.getByRole('button', { name: 'Silence', exact: true }).click();
    await expect.poll(() => rows.count()).toBe(1);
    const { data } = (await dashboard.stack.call('/v1/silences')).json;
    expect(data[0].matchers.key_ids).toEqual(['Acme, Inc']);
    await rows.getByRole('button', { name: 'End now' }).click();
    await expect.poll(() => rows.count()).toBe(0);
    await page.context().close();
  });

  test('a viewer of one organization sees its own and is refused the rest with the page intact', async () => {
    const token = await dashboard.stack.token({ name: 'acme viewer', scopes: ['read'], organization_id: 'acme' });
    const page = await dashboard.open('/audit', { token });
    expect(await page.locator('main').innerText()).not.toMatch(/globex/i);
    const nav = page.getByRole('navigation', { name: 'Main' });
    expect(await nav.innerText()).not.toMatch(/Tokens|System/);
    for (const path of ['/tokens', '/system', '/jobs']) {
      await page.goto(dashboard.stack.url + path);
      await page.getByRole('alert').first().waitFor();
      expect(await page.getByRole('alert').first().innerText()).toMatch(/scope|whole platform/);
      expect(await nav.getByRole('link').count()).toBeGreaterThan(3);
    }
    await page.goto(`${dashboard.stack.url}/keys/key_globex`);
    await page.getByTestId('key-missing').waitFor();
    await page.goto(`${dashboard.stack.url}/policies`);
    await drawn(page);
    expect(await page.getByRole('link', { name: 'New policy' }).count()).toBe(0);
    await page.context().close();
  });

  test('a viewer of one key is offered what it may see, and told why not the rest', async () => {
    const token = await dashboard.stack.token({ name: 'one key', scopes: ['read'], key_id: 'key_acme' });
    const page = await dashboard.open('/', { token });
    const refused: string[] = [];
    page.on('response', (response) => response.status() === 403 && refused.push(response.url()));
    const links = page.getByRole('navigation', { name: 'Main' }).getByRole('link');
    await expect.poll(() => links.allInnerTexts()).toEqual(['Overview', 'Keys', 'Requests', 'Alerts']);
    for (const link of await links.all()) {
      await link.click();
      await drawn(page);
    }
    expect(await page.getByTestId('inbox-empty').getByRole('link').count()).toBe(0);
    expect(await page.getByRole('navigation', { name: 'Alerts' }).count()).toBe(0);
    await page.goto(`${dashboard.stack.url}/keys/key_acme`);
    await drawn(page);
    expect(refused).toEqual([]);
    const beyond = [
      'policies',
      'policies/new',
      'connect',
      'audit',
      'alert-rules',
      'channels',
      'silences',
      'deliveries',
    ];
    for (const path of [...beyond, 'tokens', 'system', 'jobs']) {
      await page.goto(`${dashboard.stack.url}/${path}`);
      await page.getByRole('heading', { name: 'This page is not for your token' }).waitFor();
      const words = await page.locator('main').innerText();
      expect(words, path).toMatch(beyond.includes(path) ? /token that is bound to one key/ : /whole platform/);
      expect(await page.getByRole('button', { name: 'Try again' }).count(), path).toBe(0);
    }
    await page.getByRole('link', { name: 'Go to your key' }).click();
    await page.waitForURL(/\/keys\/key_acme/);
    await page.context().close();
  });

  test('keys that expire soon are one filter away; the address restores it', async () => {
    const page = await dashboard.open('/keys');
    await page.getByLabel('Expiry').selectOption('7');
    await page.waitForURL(/expires_within_days=7/);
    await page.reload();
    await drawn(page);
    const rows = page.getByTestId('keys-table').locator('tbody tr');
    expect(await rows.count()).toBe(1);
    expect(await rows.first().innerText()).toContain('expires in 5 days');
    expect(await rows.first().locator('.sparkline').getAttribute('aria-label')).toMatch(/30 days|no requests/);
    await page.context().close();
  });

  test('keys near a limit are named on the overview and listed by one click, however little they send', async () => {
    const body = { limits: { per_month: 10 }, name: 'Small key' };
    await dashboard.stack.call('/v1/keys/key_small', { method: 'PUT', body });
    const sent = (key_id: string, count: number) => Array.from({ length: count }, () => ({ key_id, status: 200 }));
    await dashboard.stack.send([...sent('key_small', 9), ...sent('key_globex', 40)]);
    await dashboard.stack.untilTotal('key_small', 9);
    const page = await dashboard.open('/');
    const table = page.getByTestId('near-limit-table');
    expect(await table.locator('tbody tr').allInnerTexts()).toEqual([
      expect.stringMatching(/Small key[\s\S]*10 a month[\s\S]*90/),
    ]);
    await table.getByRole('link', { name: 'All that are near their limit' }).click();
    await page.waitForURL(/limit_used_percent=80&sort=-limit_used/);
    await drawn(page);
    const rows = page.getByTestId('keys-table').locator('tbody tr');
    expect(await rows.count()).toBe(1);
    expect(await rows.innerText()).toContain('Small key');
    await page.getByRole('combobox', { name: /^Limit/ }).selectOption('100');
    await page.getByText('No key matches these filters.').waitFor();
    await page.context().close();
  });

  test('every job is to be seen one by one, by administrators, and only to be seen', async () => {
    const path = `${dashboard.stack.url}/admin/queues`;
    const context = await dashboard.browser.newContext();
    const stranger = await context.newPage();
    await stranger.goto(path);
    expect(stranger.url()).toContain('/login?next=%2Fadmin%2Fqueues');
    await context.close();
    expect((await dashboard.stack.call('/admin/queues/api/queues', { token: '' })).status).toBe(401);
    const pause = await dashboard.stack.call('/admin/queues/api/queues/lifecycle/pause', { method: 'PUT' });
    expect(pause.status).toBe(405);
    const page = await dashboard.open('/');
    await page.goto(path);
    await page.getByText('lifecycle').first().waitFor();
    await page.context().close();
    expect(dashboard.errors).toEqual([]);
  });
});
