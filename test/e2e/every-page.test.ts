import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { packageRoot } from '../../ingest/package-root.ts';
import { drawn, type OpenDashboard, openDashboard, widthBeyondScreen } from '../dashboards/open-dashboard.ts';
import { paintScene } from '../dashboards/scene.ts';
import { BROWSER_PATH } from '../support/browser.ts';

/** `KEYTALLY_PICTURES=docs/pictures npm test -- test/e2e` renews the pictures of the documentation. */
const PICTURES = join(packageRoot(), process.env.KEYTALLY_PICTURES ?? 'test/output', 'pages');
const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** Small, so that the pictures of all pages stay a few megabytes. */
const WINDOW = { width: 1080, height: 640 };

const LOOKS = {
  light: { colorScheme: 'light', viewport: WINDOW },
  dark: { colorScheme: 'dark', viewport: WINDOW },
  phone: { viewport: { width: 390, height: 720 } },
} as const;

/** Every page by the name of its picture. Words in braces stand for what the scene made. */
const PAGES: Record<string, string> = {
  overview: '/',
  keys: '/keys',
  usage: '/keys/key_checkout?range=7d',
  requests: '/requests',
  policies: '/policies',
  alerts: '/alerts?phase=all',
  alert: '/alerts/{alert}',
  'alert-rules': '/alert-rules',
  'alert-rule': '/alert-rules/{rule}',
  channels: '/channels',
  channel: '/channels/{channel}',
  silences: '/silences',
  deliveries: '/deliveries',
  policy: '/policies/{policy}',
  'new-policy': '/policies/new',
  connect: '/connect?gateway=kong',
  audit: '/audit',
  tokens: '/tokens',
  system: '/system',
  jobs: '/jobs',
  missing: '/nowhere',
};

interface Violation {
  id: string;
  help: string;
  nodes: { html: string; failureSummary: string }[];
}

/** What axe-core finds against WCAG 2.2 A and AA and its own best practices. */
async function violationsOf(page: Page): Promise<string[]> {
  // Through the protocol and not as a script of the page: the page's own policy would refuse that.
  await page.evaluate(AXE);
  const found = await page.evaluate(async () => {
    const { axe } = window as unknown as { axe: { run(): Promise<{ violations: Violation[] }> } };
    return (await axe.run()).violations;
  });
  return found.flatMap(({ id, nodes }) =>
    nodes.map((node) => `${id}: ${node.html.slice(0, 160)} ${node.failureSummary}`),
  );
}

describe.skipIf(BROWSER_PATH === '')('every page', () => {
  let dashboard: OpenDashboard;
  let made: Record<string, string>;

  beforeAll(async () => {
    mkdirSync(PICTURES, { recursive: true });
    dashboard = await openDashboard();
    made = await paintScene(dashboard.stack);
  });
  afterAll(() => dashboard?.stop());

  test.each(Object.keys(LOOKS) as (keyof typeof LOOKS)[])(
    'in %s: axe finds nothing, nothing scrolls sideways, no error is raised',
    async (look) => {
      const page = await dashboard.open('/login', { ...LOOKS[look], token: '' });
      expect(await violationsOf(page)).toEqual([]);
      await page.context().close();
      const inside = await dashboard.open('/', LOOKS[look]);
      const context = inside.context();
      const found: Record<string, string[]> = {};
      const waiting = Object.entries(PAGES);
      const lookAt = async (page: Page) => {
        for (let next = waiting.shift(); next; next = waiting.shift()) {
          const [name, path] = next;
          await page.goto(dashboard.stack.url + path.replace(/\{(\w+)\}/, (_, what: string) => made[what]!));
          await drawn(page);
          const violations = await violationsOf(page);
          const beyond = await widthBeyondScreen(page);
          if (beyond > 0) violations.push(`${beyond} px wider than the screen`);
          if (violations.length > 0) found[name] = violations;
          await page.screenshot({
            path: join(PICTURES, `${name}-${look}.png`),
            scale: 'css',
          });
        }
      };
      // Several at once: most of the time goes into waiting for one answer after the other.
      const others = await Promise.all([context.newPage(), context.newPage()]);
      for (const page of others) page.on('pageerror', (error) => dashboard.errors.push(error.message));
      await Promise.all([inside, ...others].map(lookAt));
      expect(found).toEqual({});
      expect(dashboard.errors).toEqual([]);
      await context.close();
    },
  );
});
