import { expect, test } from 'vitest';
import { createLogger } from '../../ingest/logger.ts';
import type { Redis } from '../../ingest/redis.ts';
import type { Store } from '../../workers/clickhouse/store.ts';
import { startHealthGauges } from '../../workers/health-gauges.ts';

test('while the store has not answered one look, no other one is made; after it they go on', async () => {
  const asked: ((rows: object[]) => void)[] = [];
  const query = () => new Promise<object[]>((resolve) => asked.push(resolve));
  const store = { query, queryWriter: query } as unknown as Store;
  const redis = { get: async () => null, hget: async () => null } as unknown as Redis;
  const gauges = startHealthGauges(store, redis, createLogger({ LOG_LEVEL: 'silent' }, 'test'));
  await Promise.race([gauges.look(), gauges.look(), Promise.resolve()]);
  expect(asked).toHaveLength(1);
  asked[0]!([{ waiting: 0, oldest_ms: 0 }]);
  await expect
    .poll(() => {
      void gauges.look();
      return asked.length;
    })
    .toBe(2);
  gauges.close();
});
