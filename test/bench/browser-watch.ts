/// <reference lib="dom" />
import type { Page } from 'playwright-core';

/** What runs inside the page; typed loosely because it is sent there as text. */
interface Watched {
  keytallyDrawnAt: number;
  keytallyTasks: number[];
}

/**
 * Notes when the usage tab is complete: charts, map and every table drawn, nothing waiting. Looked at once per frame in
 * which something changed, so the time is that of the frame in which it could be seen, and no frame is made for looking.
 */
export async function watchDrawing(page: Page): Promise<void> {
  await page.addInitScript(() => {
    const here = window as unknown as Watched;
    here.keytallyDrawnAt = 0;
    here.keytallyTasks = [];
    const complete = () =>
      document.querySelectorAll('.plot-canvas canvas').length >= 3 &&
      document.querySelector('[data-testid="world-map"]') !== null &&
      document.querySelector('[data-testid="recent-requests"] tbody tr') !== null &&
      document.querySelector('.skeleton, [aria-busy="true"]') === null;
    let waiting = false;
    const look = () => {
      waiting = false;
      if (here.keytallyDrawnAt > 0 || !complete()) return;
      here.keytallyDrawnAt = performance.now();
      changes.disconnect();
    };
    const changes = new MutationObserver(() => {
      if (!waiting) requestAnimationFrame(look);
      waiting = true;
    });
    changes.observe(document, { subtree: true, childList: true, attributes: true });
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) here.keytallyTasks.push(entry.duration);
    }).observe({ type: 'longtask', buffered: true });
  });
}

/**
 * Milliseconds from the start of the navigation to the complete page, and the part of them after the last answer of the
 * api: what the page itself takes, whatever the server does.
 */
export async function drawTimes(page: Page): Promise<{ drawnMs: number; afterAnswersMs: number }> {
  const drawn = () => (window as unknown as Watched).keytallyDrawnAt > 0;
  await page.waitForFunction(drawn, undefined, { polling: 50 });
  return page.evaluate(() => {
    const { keytallyDrawnAt: drawnAt } = window as unknown as Watched;
    // Marks on the time axis are asked for afterwards: the page is complete without them.
    const ends = performance
      .getEntriesByType('resource')
      .filter(({ name }) => name.includes('/v1/'))
      .map((entry) => (entry as unknown as { responseEnd: number }).responseEnd)
      .filter((end) => end <= drawnAt);
    const lastAnswer = Math.max(0, ...ends);
    return { drawnMs: Math.round(drawnAt), afterAnswersMs: Math.round(drawnAt - lastAnswer) };
  });
}

/** Clicks a status and waits until everything shows the filtered figures. */
export async function filterTimes(page: Page): Promise<{ redrawMs: number; totalMs: number }> {
  return page.evaluate(async () => {
    const row = document.querySelector<HTMLElement>('[data-testid="statuses-table"] tbody button')!;
    const nextFrame = () => new Promise((resolve) => requestAnimationFrame(resolve));
    const clickedAt = performance.now();
    performance.clearResourceTimings();
    row.click();
    const answered = () =>
      performance.getEntriesByType('resource').find(({ name }) => name.includes('/usage?') && name.includes('status='));
    const done = () =>
      answered() &&
      document.querySelector('[data-testid="filter-pills"]') &&
      !document.querySelector('[aria-busy="true"]');
    while (!done()) await nextFrame();
    const drawnAt = performance.now();
    const { responseEnd } = answered() as PerformanceResourceTiming;
    return { redrawMs: Math.round(drawnAt - responseEnd), totalMs: Math.round(drawnAt - clickedAt) };
  });
}

/** Scrolls down screen by screen until `rows` rows of 48 px went by, and looks for tasks that held the page up. */
export async function worstLongTask(page: Page, rows: number): Promise<{ longestMs: number; scrolled: number }> {
  return page.evaluate(async (wanted) => {
    const here = window as unknown as Watched;
    const nextFrame = () => new Promise((resolve) => requestAnimationFrame(resolve));
    here.keytallyTasks.length = 0;
    const deadline = performance.now() + 60_000;
    while (window.scrollY < wanted * 48 && performance.now() < deadline) {
      window.scrollBy(0, 700);
      await nextFrame();
    }
    return { longestMs: Math.round(Math.max(0, ...here.keytallyTasks)), scrolled: Math.round(window.scrollY / 48) };
  }, rows);
}

interface TraceEvent {
  name: string;
  pid: number;
  tid: number;
  /** CPU time of the thread in microseconds. */
  tdur?: number;
  args?: { name?: string };
}

/** The longest task of a page's main thread in a trace, in milliseconds of CPU. */
export function longestTaskCpuMs(trace: Buffer): number {
  const { traceEvents } = JSON.parse(trace.toString('utf8')) as { traceEvents: TraceEvent[] };
  const place = ({ pid, tid }: TraceEvent) => `${pid} ${tid}`;
  const pages = new Set(
    traceEvents.filter(({ name, args }) => name === 'thread_name' && args?.name === 'CrRendererMain').map(place),
  );
  const tasks = traceEvents.filter((event) => event.tdur !== undefined && pages.has(place(event)));
  return Math.round(tasks.reduce((longest, { tdur = 0 }) => Math.max(longest, tdur), 0) / 1000);
}
