import { expect, test } from 'vitest';
import { redisHealthOf } from '../../api/queries/redis-health.ts';
import { createApp, listen } from '../../ingest/http-server.ts';
import { createLogger } from '../../ingest/logger.ts';

const info = (used: number, max: number, aof: number, version = 'redis_version:7.4.1') =>
  `# Server\r\n${version}\r\nused_memory:${used}\r\nused_memory_rss:9\r\nmaxmemory:${max}\r\naof_enabled:${aof}\r\n`;

test.each([
  ['one server', [info(40, 100, 1)], ['7.4.1', 40, 100, 0.4, true]],
  ['one without a limit', [info(40, 0, 0)], ['7.4.1', 40, 0, 0, false]],
  ['masters of a cluster', [info(10, 100, 1), info(80, 100, 1), info(30, 100, 1)], ['7.4.1', 120, 300, 0.8, true]],
  ['a small master that is full', [info(10, 1_000, 1), info(9, 10, 1)], ['7.4.1', 19, 1_010, 0.9, true]],
  ['a master without a log', [info(10, 100, 1), info(10, 100, 0)], ['7.4.1', 20, 200, 0.1, false]],
  ['a master without a limit', [info(10, 100, 1), info(50, 0, 1)], ['7.4.1', 60, 0, 0.1, true]],
  ['two versions', [info(1, 0, 1), info(1, 0, 1, 'valkey_version:8.0.1')], ['7.4.1, 8.0.1', 2, 0, 0, true]],
  ['no answer', [], ['', 0, 0, 0, false]],
])('Redis: %s', (_title, infos, [version, used, max, ratio, appendonly]) => {
  expect(redisHealthOf(infos)).toEqual({
    ...{ version, used_memory_bytes: used, max_memory_bytes: max, used_ratio: ratio, appendonly },
  });
});

test('the metric of readiness says what /readyz says, at each scrape', async () => {
  let said: string | undefined;
  const checks = {
    consumer: async () => said,
    broken: async () => Promise.reject(new Error('no')),
    well: async () => undefined,
  };
  const log = createLogger({ LOG_LEVEL: 'silent' }, 'test');
  const { express } = createApp({ log, checks, routers: [], trustedProxies: [] });
  const http = await listen({ express, drain: () => {} } as never, '127.0.0.1', 0);
  const read = async () => {
    const text = await (await fetch(`http://127.0.0.1:${http.port}/metrics`)).text();
    return Object.fromEntries(
      [...text.matchAll(/^keytally_ready\{check="(\w+)"\} (\d)$/gm)].map(([, name, value]) => [name, value]),
    );
  };
  expect(await read()).toMatchObject({ consumer: '1', broken: '0', well: '1' });
  said = 'batches wait and none was finished here for 50 s';
  expect(await read()).toMatchObject({ consumer: '0' });
  said = undefined;
  expect(await read()).toMatchObject({ consumer: '1' });
  await http.close();
});
