import { expect, test } from 'vitest';
import type { Logger } from '../../ingest/logger.ts';
import { stopInTime } from '../../workers/stop-in-time.ts';

function logOf(): { log: Logger; said: unknown[] } {
  const said: unknown[] = [];
  const note = (...line: unknown[]) => said.push(line);
  return { log: { warn: note, error: note } as unknown as Logger, said };
}
const never = () => new Promise<void>(() => {});

test('waits for all parts, and says nothing', async () => {
  const { log, said } = logOf();
  const closed: string[] = [];
  const part = (name: string, ms: number) => ({
    close: () => new Promise<void>((resolve) => setTimeout(() => resolve(void closed.push(name)), ms)),
  });
  await stopInTime({ slow: part('slow', 60), quick: part('quick', 1) }, 60_000, log);
  expect(closed).toEqual(['quick', 'slow']);
  expect(said).toEqual([]);
});

test('a part that never ends is left and named; one that fails does not keep the others from stopping', async () => {
  const { log, said } = logOf();
  const failure = new Error('gone');
  const parts = {
    hanging: { close: never },
    failing: { close: () => Promise.reject(failure) },
    good: { close: async () => {} },
  };
  await stopInTime(parts, 50, log);
  expect(said).toEqual([
    [{ err: failure, part: 'failing' }, 'while stopping'],
    [{ parts: ['hanging'], limit_ms: 50 }, 'these did not stop in time and are left'],
  ]);
});
