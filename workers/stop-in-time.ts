import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '../ingest/logger.ts';

/**
 * Stops parts side by side and waits for them at most this long. The queue's library waits for its blocking read to end, and
 * one whose node of a Redis Cluster was just replaced does not always (a stop hung for a minute). What a
 * part had in work then is taken over by another worker when its lock has run out, and counts once.
 */
export async function stopInTime(
  parts: Readonly<Record<string, { close(): Promise<void> }>>,
  limitMs: number,
  log: Logger,
): Promise<void> {
  const open = new Set(Object.keys(parts));
  const patience = new AbortController();
  const closing = Object.entries(parts).map(async ([name, part]) => {
    await part.close().catch((error: unknown) => log.error({ err: error, part: name }, 'while stopping'));
    open.delete(name);
  });
  const timedOut = sleep(limitMs, true, { signal: patience.signal }).catch(() => false);
  await Promise.race([Promise.all(closing), timedOut]);
  patience.abort();
  if (open.size > 0) log.warn({ parts: [...open], limit_ms: limitMs }, 'these did not stop in time and are left');
}
