import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type OpenDashboard, openDashboard } from '../dashboards/open-dashboard.ts';
import { BROWSER_PATH } from '../support/browser.ts';
import { untilPasses } from '../support/until-passes.ts';

/** A strict page of somebody else: no inline script or style, and styles that would hurt if they came through. */
const POLICY = "default-src 'self'; style-src 'self'; script-src 'self'";
const HOST_STYLE = `body { letter-spacing: 5px; line-height: 3; text-align: right }
  .card, .panel, button, h1 { color: rgb(1, 2, 3); padding: 77px; letter-spacing: 9px }`;
const HOST_SCRIPT = `window.refused = [];
  document.addEventListener('keytally-token-refused', (event) => window.refused.push(event.detail));`;

describe.skipIf(BROWSER_PATH === '')('<keytally-usage> on a page of another origin', () => {
  let dashboard: OpenDashboard;
  let token: string;
  let site: Site;

  beforeAll(async () => {
    site = await startSite(() => dashboard.stack.url);
    dashboard = await openDashboard({ CORS_ORIGINS: site.origin });
    const { stack } = dashboard;
    await stack.send(
      Array.from({ length: 25 }, (_, index) => ({
        key_id: index < 20 ? 'key_embedded' : 'key_other',
        timestamp: Date.now() - (index + 1) * 600_000,
        method: 'GET',
        path: '/v1/orders',
        status: index % 4 ? 200 : 404,
        country: 'SE',
      })),
    );
    await stack.untilCounted(25);
    token = await stack.token({ name: 'embed', scopes: ['read'], key_id: 'key_embedded' });
  });
  afterAll(async () => {
    await dashboard?.stop();
    site?.server.close();
  });

  async function host(attributes: string): Promise<Page> {
    const context = await dashboard.browser.newContext({ locale: 'en-GB', timezoneId: 'Europe/Paris' });
    context.setDefaultTimeout(10_000);
    const page = await context.newPage();
    page.on('pageerror', (error) => dashboard.errors.push(error.message));
    const origin = `api="${dashboard.stack.url}/"`;
    await page.goto(`${site.origin}/host.html?${new URLSearchParams({ attributes: `${attributes} ${origin}` })}`);
    return page;
  }

  test('a valid token shows the usage; styles stay on their side in both directions', async () => {
    const page = await host(`key-id="key_embedded" token="${token}" range="24h" timezone="Asia/Kolkata" theme="dark"`);
    const requests = page.getByTestId('card-requests').locator('.card-value');
    await requests.waitFor();
    expect(await requests.innerText()).toBe('20');
    await page.getByTestId('series-chart').locator('canvas').waitFor();
    await page.getByTestId('world-map').waitFor();
    await page.getByTestId('statuses-table').getByRole('button', { name: /404/ }).click();
    await expect.poll(() => requests.innerText()).toBe('5');
    await expect.poll(() => page.getByTestId('recent-requests').locator('tbody tr').count()).toBe(5);
    expect(await page.getByRole('alert').count()).toBe(0);

    expect(await styleOf(page, 'card-requests', 'padding-top')).toBe('12px');
    expect(await styleOf(page, 'card-requests', 'letter-spacing')).toBe('normal');
    expect(await styleOf(page, 'card-requests', 'text-align')).toBe('start');
    expect(await styleOf(page, 'card-requests', 'background-color')).toBe('rgb(22, 26, 33)');
    const outside = await page.evaluate(() => ({
      head: document.head.children.length,
      sheets: document.styleSheets.length + document.adoptedStyleSheets.length,
      title: document.title,
      address: location.pathname,
      heading: getComputedStyle(document.querySelector('h1')!).color,
      html: document.documentElement.attributes.length,
    }));
    expect(outside).toEqual({
      head: 5,
      sheets: 1,
      title: 'Host',
      address: '/host.html',
      heading: 'rgb(1, 2, 3)',
      html: 1,
    });
    await page.context().close();
    expect(dashboard.errors).toEqual([]);
  });

  test('the host page themes it with variables', async () => {
    const page = await host(`key-id="key_embedded" token="${token}"`);
    await page.getByTestId('card-requests').waitFor();
    await page.evaluate(() => {
      const sheet = new CSSStyleSheet();
      sheet.replaceSync('keytally-usage { --surface: rgb(9, 8, 7) }');
      document.adoptedStyleSheets = [sheet];
    });
    expect(await styleOf(page, 'card-requests', 'background-color')).toBe('rgb(9, 8, 7)');
    await page.context().close();
  });

  test('an unknown token is said and reported once; a new token brings it back', async () => {
    const page = await host('key-id="key_embedded" token="kt_expired" range="24h"');
    await page.getByRole('alert').waitFor();
    expect(await page.getByRole('alert').innerText()).toContain('unknown or has expired');
    expect(await page.evaluate(() => (window as unknown as { refused: object[] }).refused)).toEqual([
      { status: 401, message: expect.any(String) },
    ]);
    await page.locator('keytally-usage').evaluate((element, fresh) => element.setAttribute('token', fresh), token);
    await page.getByTestId('card-requests').waitFor();
    expect(await page.getByTestId('card-total').innerText()).toContain('20');
    await page.context().close();
  });

  test('a token that has expired is said and reported like an unknown one', async () => {
    const expires_at = new Date(Date.now() + 1_000).toISOString();
    const expired = await dashboard.stack.token({
      name: 'short',
      scopes: ['read'],
      key_id: 'key_embedded',
      expires_at,
    });
    await untilPasses(async () =>
      expect((await dashboard.stack.call('/v1/keys/key_embedded', { token: expired })).status).toBe(401),
    );
    const page = await host(`key-id="key_embedded" token="${expired}" range="24h"`);
    await page.getByRole('alert').waitFor();
    expect(await page.getByRole('alert').innerText()).toContain('has expired');
    const refused = await page.evaluate(() => (window as unknown as { refused: object[] }).refused);
    expect(refused).toEqual([{ status: 401, message: expect.any(String) }]);
    await page.context().close();
  });

  test('in a narrow column it uses the layout of a phone', async () => {
    const page = await host(`key-id="key_embedded" token="${token}"`);
    await page.locator('keytally-usage').evaluate((element) => {
      element.style.width = '380px';
    });
    await page.getByTestId('world-map').waitFor();
    const beyond = await page
      .locator('keytally-usage')
      .evaluate((element) => element.scrollWidth - element.clientWidth);
    expect(beyond).toBe(0);
    expect(await styleOf(page, 'card-requests', 'padding-top')).toBe('10px');
    await page.context().close();
  });

  test('a token of one key shows no other', async () => {
    const page = await host(`key-id="key_other" token="${token}"`);
    await page.getByTestId('key-missing').waitFor();
    expect(await page.getByTestId('card-requests').count()).toBe(0);
    await page.context().close();
  });
});

interface Site {
  server: Server;
  origin: string;
}

/** A site of another origin than the program, with a page that embeds the element. Its own files come from `from`. */
async function startSite(from: () => string): Promise<Site> {
  const server = createServer(async (request, response) => {
    const url = new URL(request.url ?? '/', 'http://site');
    const file = await fileOf(url, from());
    response.writeHead(200, {
      'content-type': file.type,
      'content-security-policy': `${POLICY}; connect-src ${from()}`,
    });
    response.end(file.body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { server, origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

async function fileOf(url: URL, from: string): Promise<{ type: string; body: string }> {
  if (url.pathname === '/host.css') return { type: 'text/css', body: HOST_STYLE };
  if (url.pathname === '/host.js') return { type: 'text/javascript', body: HOST_SCRIPT };
  if (url.pathname === '/host.html') return { type: 'text/html', body: hostPage(url.searchParams.get('attributes')!) };
  const answer = await fetch(from + url.pathname);
  return { type: answer.headers.get('content-type') ?? '', body: await answer.text() };
}

const hostPage = (attributes: string) => `<!doctype html><html lang="en"><head><title>Host</title>
  <link rel="icon" href="data:,"><link rel="stylesheet" href="/host.css">
  <script src="/host.js"></script><script type="module" src="/keytally-usage.js"></script></head>
  <body><h1 class="card">Host</h1><keytally-usage ${attributes}></keytally-usage></body></html>`;

async function styleOf(page: Page, testId: string, property: string): Promise<string> {
  return page
    .getByTestId(testId)
    .evaluate((element, name) => getComputedStyle(element).getPropertyValue(name), property);
}
