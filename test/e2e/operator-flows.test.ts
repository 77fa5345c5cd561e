import { setTimeout as sleep } from 'node:timers/promises';
import type { Page, Route } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Batch, encodeBatch } from '../../ingest/batch.ts';
import { connectRedis } from '../../ingest/redis.ts';
import { wholeBatch, writeDeadLetters } from '../../workers/dead-letter.ts';
import { checkInvariants, storeReport } from '../../workers/invariants.ts';
import { drawn, focused, type OpenDashboard, openDashboard } from '../dashboards/open-dashboard.ts';
import { BROWSER_PATH } from '../support/browser.ts';

const MINUTE_MS = 60_000;

/** Holds an answer back for as long as the test likes. */
function gate(): { opened: Promise<void>; open: () => void } {
  let open!: () => void;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}

/** As a browser tells a page that its tab is left or looked at again. */
async function hide(page: Page, hidden: boolean): Promise<void> {
  await page.evaluate((value) => {
    Object.defineProperty(document, 'hidden', { value, configurable: true });
    document.dispatchEvent(new Event('visibilitychange'));
  }, hidden);
}

describe.skipIf(BROWSER_PATH === '')('pages of those who run Keytally', () => {
  let dashboard: OpenDashboard;
  beforeAll(async () => {
    dashboard = await openDashboard();
  });
  afterAll(() => dashboard?.stop());

  const totalOf = async (keyId: string) => (await dashboard.stack.call(`/v1/keys/${keyId}`)).json.total_requests;
  const rowsOf = (page: Page) => page.getByTestId('dead-letters').locator('tbody tr');

  /** Everything that is asked again and again, and a page that does. */
  const POLLERS = [
    ['/system', /\/v1\/system$/],
    ['/jobs', /\/v1\/jobs$/],
    ['/connect', /\/v1\/sources$/],
    ['/keys', /\/v1\/keys\?sort=-requests_30d/],
    ['/alerts', /\/v1\/alerts\?/],
    ['/requests?range=1h&live=1', /\/v1\/requests\?/],
    ['/', /\/v1\/keys\?sort=-requests_30d/],
  ] as const;

  test.each(POLLERS)(
    '%s waits for a slow answer, asks nothing in a hidden tab or after a refusal',
    async (path, asks) => {
      const page = await dashboard.open('/audit');
      await page.clock.install();
      const answers: ((route: Route) => Promise<void>)[] = [];
      let asked = 0;
      await page.route(asks, (route) => answers[asked++]?.(route));
      // Key pages poll for as long as there is no key.
      const plain = (route: Route) =>
        path === '/' || path === '/keys' ? route.fulfill({ json: { data: [], next_cursor: null } }) : route.continue();
      const slow = gate();
      answers.push(
        plain,
        (route) => slow.opened.then(() => plain(route)),
        plain,
        (route) => route.fulfill({ status: 403 }),
      );

      // In steps: an answer takes time of the real clock, and the next question waits for it.
      const askedAfterAMinute = async () => {
        for (let step = 0; step < 12; step++) {
          await page.clock.runFor(MINUTE_MS / 12);
          await sleep(20);
        }
        return asked;
      };

      await page.goto(dashboard.stack.url + path);
      await drawn(page);
      await expect.poll(askedAfterAMinute).toBe(2);
      await askedAfterAMinute();
      const answered = page.waitForResponse(asks);
      slow.open();
      await answered;
      expect(asked).toBe(2);

      await hide(page, true);
      expect(await askedAfterAMinute()).toBe(2);
      await hide(page, false);
      await expect.poll(askedAfterAMinute).toBe(4);
      await page.getByRole('alert').first().waitFor();
      expect(await page.getByRole('button', { name: 'Try again' }).count()).toBe(0);
      expect(await askedAfterAMinute()).toBe(4);
      await page.context().close();
    },
  );

  test('figures whose next answer does not come are called old, and no longer well', async () => {
    const page = await dashboard.open('/audit');
    await page.clock.install();
    let asked = 0;
    // The second answer never comes.
    await page.route(/\/v1\/system$/, (route) => (asked++ === 1 ? undefined : route.continue()));
    await page.goto(`${dashboard.stack.url}/system`);
    await drawn(page);
    const said = page.getByTestId('pipeline-sentence');
    const well = await said.innerText();
    expect(well).not.toContain('as of');
    await page.clock.runFor(MINUTE_MS);
    await expect.poll(() => said.innerText()).toMatch(/does not answer at present.* as of \d+ \w+, \d\d:\d\d:\d\d/);
    expect(await said.getAttribute('role')).toBe('status');
    const words = await said.innerText();
    await page.clock.runFor(MINUTE_MS);
    expect(await said.innerText()).toBe(words);
    await page.getByRole('button', { name: 'Ask again' }).click();
    await expect.poll(() => said.innerText()).toBe(well);
    await page.context().close();
  });

  test('a record the store refused is listed with its reason, and counted once when somebody asks for it', async () => {
    const { stack } = dashboard;
    await stack.store.command("ALTER TABLE requests ADD CONSTRAINT no_poison CHECK path != '/poison'");
    const sent = ['/a', '/poison', '/b'].map((path) => ({ key_id: 'key_poisoned', method: 'GET', path, status: 200 }));
    await stack.send(sent);
    await expect.poll(() => totalOf('key_poisoned').catch(() => 0)).toBe(2);
    const page = await dashboard.open('/jobs');
    await expect.poll(() => rowsOf(page).count()).toBe(1);
    expect(await rowsOf(page).innerText()).toMatch(/no_poison[\s\S]*key_poisoned GET \/poison 200/);

    const button = rowsOf(page).getByRole('button', { name: 'Count after all' });
    await button.click();
    const said = page.getByTestId('letters-said');
    await expect.poll(() => said.innerText()).toMatch(/^On their way: 1 record\./);
    // Refused again: a letter of its own.
    await expect.poll(() => rowsOf(page).innerText()).toMatch(/-1-0\s[\s\S]*no_poison/);
    expect(await totalOf('key_poisoned')).toBe(2);

    await stack.store.command('ALTER TABLE requests DROP CONSTRAINT no_poison');
    await button.click();
    await expect.poll(() => totalOf('key_poisoned')).toBe(3);
    await expect.poll(() => rowsOf(page).count()).toBe(0);

    await page.getByLabel('Dead letters').last().selectOption('replayed');
    await page.waitForURL(/outcome=replayed/);
    await expect.poll(() => rowsOf(page).count()).toBe(2);
    expect(await rowsOf(page).getByRole('button').count()).toBe(0);
    await page.context().close();
  });

  test('a letter that is given up is gone after a question, and the audit log knows of it', async () => {
    const batch = { rows: 3, claims: [], receivedAtMs: Date.now(), payload: await encodeBatch(new Batch()) };
    await writeDeadLetters(dashboard.stack.store, [wholeBatch('letter-1', batch, 'gave up <b>after</b> 10 attempts')]);
    const page = await dashboard.open('/jobs');
    expect(await rowsOf(page).innerText()).toContain('gave up <b>after</b> 10 attempts');
    await rowsOf(page).getByRole('button', { name: 'Give up' }).click();
    expect(await page.getByTestId('confirm').innerText()).toContain('3 records will never be counted');
    await page.getByTestId('confirm-action').click();
    await expect.poll(() => rowsOf(page).count()).toBe(0);
    await expect.poll(() => focused(page)).toBe('H1 System');
    await page.goto(`${dashboard.stack.url}/jobs?outcome=dropped`);
    await drawn(page);
    expect(await rowsOf(page).innerText()).toContain('letter-1');
    await page.goto(`${dashboard.stack.url}/audit?search=letter-1`);
    await drawn(page);
    expect(await page.getByTestId('audit').innerText()).toContain('gave a dead letter up');
    await page.context().close();
  });

  test('the list of dead letters is watched for a minute, and not under the eyes of who reads on', async () => {
    const page = await dashboard.open('/audit');
    await page.clock.install();
    const letter = (id: string) => ({ id, at: new Date().toISOString(), rows: 1, reason: '', sample: null });
    let asked = 0;
    await page.route(/\/v1\/dead-letters/, (route) => {
      const request = route.request();
      if (request.method() === 'POST') return route.fulfill({ json: { id: '', outcome: 'replayed', rows: 1 } });
      const later = new URL(request.url()).searchParams.has('cursor');
      asked += later ? 0 : 1;
      const data = (later ? ['c', 'd'] : ['a', 'b']).map((id) => ({ ...letter(id), outcome: 'waiting' }));
      return route.fulfill({ json: { data, next_cursor: later ? null : 'next' } });
    });
    await page.goto(`${dashboard.stack.url}/jobs`);
    await drawn(page);
    const replay = rowsOf(page).first().getByRole('button', { name: 'Count after all' });
    const said = page.getByTestId('letters-said');
    await replay.press('Enter');
    await said.getByText('On their way').waitFor();
    expect(await focused(page)).toBe('BUTTON Count after all');
    const askedAfterAMinute = () => page.clock.runFor(MINUTE_MS).then(() => asked);
    expect(await askedAfterAMinute()).toBeGreaterThan(2);
    const atEnd = await askedAfterAMinute();
    expect(await askedAfterAMinute()).toBe(atEnd);

    await page.getByRole('button', { name: 'Show older dead letters' }).click();
    await expect.poll(() => rowsOf(page).count()).toBe(4);
    await replay.press('Enter');
    await expect.poll(() => asked).toBe(atEnd + 1);
    expect(await askedAfterAMinute()).toBe(atEnd + 1);
    expect(await rowsOf(page).count()).toBe(4);
    await page.context().close();
  });

  test('a count that does not add up is named on the system page before all that do', async () => {
    const { stack } = dashboard;
    const invariants = () => page.getByTestId('invariants').locator('tbody tr');
    const page = await dashboard.open('/system');
    expect(await page.getByTestId('invariants').innerText()).toContain('Not checked yet');
    const { keys } = (await stack.call('/v1/storage?limit=10')).json;
    const largest = page.getByTestId('largest-keys').locator('tbody tr');
    expect((await largest.locator('a').allInnerTexts()).sort()).toEqual(
      keys.map(({ key_id }: { key_id: string }) => key_id).sort(),
    );
    const redis = await connectRedis(stack.redisUrl, 'producer', () => {});
    const check = async () =>
      storeReport(redis, await checkInvariants(stack.store, stack.config, { settled: false, pauseMs: 0 }));
    await check();
    await page.reload();
    await drawn(page);
    const rules = await invariants().count();
    expect(rules).toBeGreaterThan(5);
    expect(await page.getByTestId('invariants').getByText('yes', { exact: true }).count()).toBe(rules);

    const start = Math.floor(Date.now() / 1000) - 7_200;
    await stack.store.command(
      `INSERT INTO usage_minute (key_id, start, requests) VALUES ('key_poisoned', ${start}, 7)`,
    );
    await check();
    await redis.quit();
    await page.reload();
    await drawn(page);
    expect(await invariants().first().innerText()).toMatch(/minutes add up to the raw requests[\s\S]*no, once/);
    expect(await page.getByTestId('invariants').locator('.bad').count()).toBe(1);
    await page.context().close();
    expect(dashboard.errors).toEqual([]);
  });
});
