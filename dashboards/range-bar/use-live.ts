import type { Polled } from '../http/asks-again.ts';
import { usePolling } from '../http/use-polling.ts';

const LIVE_EVERY_MS = 10_000;

/**
 * Live mode: moves the page on while it is looked at, once every part of it is answered.
 * @param lead part whose age is that of the page
 * @returns whether the figures on the screen have grown old, because the next ones do not come
 */
export function useLive(
  on: boolean,
  refresh: () => void,
  lead: Polled,
  others: readonly { loading: boolean }[],
): boolean {
  const loading = lead.loading || others.some((part) => part.loading);
  return usePolling({ ...lead, loading, retry: refresh }, LIVE_EVERY_MS, on);
}
