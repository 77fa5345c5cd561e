import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright-core';
import { launchBrowser } from '../support/browser.ts';
import { ADMIN_TOKEN, type Stack, startStack } from '../support/stack.ts';

/** The whole program and a browser in front of it. */
export interface OpenDashboard {
  stack: Stack;
  browser: Browser;
  /** A signed-in page at `path`, drawn to the end. */
  open(path: string, options?: OpenOptions): Promise<Page>;
  /** What went wrong inside any page since the start. */
  errors: string[];
  stop(): Promise<void>;
}

export interface OpenOptions extends BrowserContextOptions {
  /** '' = not signed in. */
  token?: string;
}

export async function openDashboard(env: Record<string, string> = {}): Promise<OpenDashboard> {
  const [stack, browser] = await Promise.all([startStack(env), launchBrowser()]);
  const errors: string[] = [];
  const open = async (path: string, { token = ADMIN_TOKEN, ...options }: OpenOptions = {}) => {
    const context = await browser.newContext({
      viewport: { width: 1280, height: 900 },
      locale: 'en-GB',
      timezoneId: 'Europe/Stockholm',
      ...options,
    });
    context.setDefaultTimeout(10_000);
    if (token !== '') await signIn(context, stack.url, token);
    const page = await context.newPage();
    page.on('pageerror', (error) => errors.push(`${path}: ${error.message}`));
    page.on('dialog', (dialog) => errors.push(`${path}: a dialog said ${dialog.message()}`));
    await page.goto(stack.url + path);
    await drawn(page);
    return page;
  };
  const stop = async () => {
    await browser.close();
    await stack.stop();
  };
  return { stack, browser, open, errors, stop };
}

async function signIn(context: BrowserContext, url: string, token: string): Promise<void> {
  const answer = await context.request.post(`${url}/v1/session`, { data: { token } });
  if (!answer.ok()) throw new Error(`signing in failed: ${answer.status()}`);
}

/** Nothing on the page is still loading. */
export async function drawn(page: Page): Promise<void> {
  await page.waitForFunction(() => {
    const waiting = document.querySelector('.skeleton, [aria-busy="true"]');
    return document.querySelector('main') !== null && waiting === null;
  });
}

/** Chromium takes the focus from what may not have it with the next drawing. */
export async function drawnTwice(page: Page): Promise<void> {
  await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
}

/** Element and words of what has the focus, e.g. "BUTTON New token". */
export async function focused(page: Page): Promise<string> {
  return page.evaluate(() => {
    const { tagName, textContent } = document.activeElement!;
    return tagName === 'BODY' ? tagName : `${tagName} ${textContent}`.trim();
  });
}

/** Digits of a card, e.g. "1,234" of "Requests 1,234 +3%". */
export async function cardValue(page: Page, name: string): Promise<string> {
  return page.getByTestId(`card-${name}`).locator('.card-value').innerText();
}

export async function widthBeyondScreen(page: Page): Promise<number> {
  return page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
}
