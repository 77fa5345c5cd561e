import { existsSync } from 'node:fs';
import { type Browser, chromium } from 'playwright-core';

/** Chromium without windows: the same pages for about a tenth less processor time. */
const SHELL = '/usr/bin/chromium-headless-shell';
const WHOLE = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
];

const firstOf = (paths: readonly string[]) =>
  [process.env.CHROMIUM_PATH ?? '', ...paths].find((path) => path !== '' && existsSync(path)) ?? '';

/** A browser of this machine; '' when there is none (the browser tests are then skipped, and say so). */
export const BROWSER_PATH = firstOf([SHELL, ...WHOLE]);

if (BROWSER_PATH === '')
  console.error('\n*** NO BROWSER FOUND: the browser tests are skipped. Install chromium or set CHROMIUM_PATH. ***\n');

/** Headless, and without the background connections that a closed network would answer with errors. */
const QUIET = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];
/** Threads that compile and collect beside the page's own took a quarter of all processor time where both processors are busy anyway. */
const SPARING = ['--process-per-site', '--js-flags=--single-threaded'];

/** A browser for tests, which take as little processor time as they can. */
export function launchBrowser(): Promise<Browser> {
  return chromium.launch({ executablePath: BROWSER_PATH, args: [...QUIET, ...SPARING] });
}

/** A browser as its users have it, for figures of how fast pages are. */
export function launchWholeBrowser(): Promise<Browser> {
  return chromium.launch({ executablePath: firstOf([...WHOLE, SHELL]), args: QUIET });
}
