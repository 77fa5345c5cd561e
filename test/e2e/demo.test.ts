import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { packageRoot } from '../../ingest/package-root.ts';
import { BROWSER_PATH, launchBrowser } from '../support/browser.ts';
import { tempFolder } from '../support/temp-folder.ts';

/** Known of the sample log: its busiest address and how often it asked. */
const BUSIEST = '66.249.73.135';
const BUSIEST_REQUESTS = 482;
/** `KEYTALLY_PICTURES=docs/pictures npm test -- test/e2e` renews the pictures of the README. */
const PICTURES = join(packageRoot(), process.env.KEYTALLY_PICTURES ?? 'test/output');

let demo: ChildProcess;
let output = '';
let browser: Browser;
let page: Page;

beforeAll(async () => {
  demo = spawn(process.execPath, ['dist/main.js', 'demo'], {
    cwd: packageRoot(),
    env: {
      PATH: process.env.PATH,
      HOME: process.env.HOME,
      PORT: '0',
      LOG_LEVEL: 'warn',
      KEYTALLY_DATA_DIR: tempFolder(),
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  for (const stream of [demo.stdout!, demo.stderr!]) stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  await vi.waitUntil(() => output.includes('Stop with Ctrl-C'), { timeout: 90_000, interval: 100 });
}, 100_000);

afterAll(async () => {
  await browser?.close();
  const exited = new Promise((resolve) => demo.once('exit', resolve));
  demo.kill('SIGINT');
  expect(await exited).toBe(0);
});

const said = (label: string) => new RegExp(`${label}\\s+(\\S+)`).exec(output)?.[1] ?? '';

test('the demo shows its progress and rate, counts every request, and prints address and token', () => {
  expect(output).toMatch(/100%\s+10000\/10000 requests\s+\d+ per second/);
  expect(output).toContain('counted 10,000');
  expect(said('Keytally')).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
  expect(said('Token')).toMatch(/^kt_\w{40}$/);
});

describe.skipIf(BROWSER_PATH === '')('in a browser', () => {
  const errors: string[] = [];

  beforeAll(async () => {
    mkdirSync(PICTURES, { recursive: true });
    browser = await launchBrowser();
    page = await browser.newPage({
      viewport: { width: 1280, height: 900 },
      timezoneId: 'Europe/Stockholm',
      locale: 'en-GB',
    });
    page.on('pageerror', (error) => errors.push(error.message));
    await page.goto(said('Keytally'));
    await page.getByTestId('token-input').fill(said('Token'));
    await page.getByTestId('login-button').click();
  });

  const card = async (name: string) => (await page.getByTestId(`card-${name}`).innerText()).replaceAll(/[\s  ]+/g, ' ');

  test('the key list shows the busiest key first', async () => {
    const first = page.getByTestId('keys-table').locator('tbody tr').first();
    await first.waitFor();
    expect(await first.innerText()).toContain(BUSIEST);
    expect(await first.innerText()).toContain(String(BUSIEST_REQUESTS));
    await page.getByTestId('world-map').waitFor();
    await page.waitForTimeout(500);
    await page.screenshot({ path: join(PICTURES, 'overview.png') });
    await page.goto(`${said('Keytally')}/keys`);
    await page.getByTestId('keys-table').locator('tbody tr').first().waitFor();
    await page.screenshot({ path: join(PICTURES, 'keys.png') });
  });

  test('a click opens its usage tab, whose numbers are those of the log', async () => {
    await page.getByTestId('keys-table').locator('tbody tr').first().getByText(BUSIEST).click();
    await page.getByTestId('series-chart').waitFor();
    await page.getByTestId('world-map').waitFor();
    await expect.poll(() => card('requests')).toContain(String(BUSIEST_REQUESTS));
    expect(await card('total')).toContain(String(BUSIEST_REQUESTS));
    expect(await card('30d')).toContain(String(BUSIEST_REQUESTS));
    expect(await card('error-rate')).toContain('2.1');
    expect(await card('last-used')).toContain('United States');
    expect(await page.getByTestId('countries-table').innerText()).toContain('United States');
    expect(await page.getByTestId('endpoints-table').locator('tbody tr').count()).toBeGreaterThan(5);
    expect(await page.getByRole('link', { name: /DB-IP/ }).getAttribute('href')).toContain('db-ip.com');
    await page.waitForTimeout(300);
    await page.screenshot({ path: join(PICTURES, 'usage.png'), fullPage: true });
  });

  test('range and time zone stand in the URL and survive a reload', async () => {
    const url = new URL(page.url());
    url.search = '?range=24h&tz=Asia/Kolkata';
    await page.goto(url.href);
    await page.getByTestId('series-chart').waitFor();
    const shown = await card('requests');
    await page.reload();
    await page.getByTestId('series-chart').waitFor();
    await expect.poll(() => card('requests')).toBe(shown);
    expect(page.url()).toContain('range=24h');
    expect(page.url()).toMatch(/Kolkata/);
    expect(shown).not.toContain(String(BUSIEST_REQUESTS));
  });

  test('a typed address of a key works, and no page raised an error', async () => {
    await page.goto(`${said('Keytally')}/keys/${BUSIEST}`);
    await page.getByTestId('card-requests').waitFor();
    expect(errors).toEqual([]);
  });
});
