import { withStores } from '../../api/parts.ts';
import type { Config } from '../../ingest/config.ts';
import { createLogger } from '../../ingest/logger.ts';
import { connectRedis } from '../../ingest/redis.ts';
import type { BackupParts } from '../../workers/backup.ts';

const log = createLogger({ LOG_LEVEL: 'silent' }, 'test');

/** As the commands have them: both stores, and nothing else of the program. */
export function withinStores<T>(
  config: Config,
  act: (parts: BackupParts) => Promise<T>,
  say: (line: string) => void = () => {},
): Promise<T> {
  return withStores(config, log, async ({ redisUrl, store }) => {
    const redis = await connectRedis(redisUrl, 'worker', () => {});
    try {
      return await act({ config, store, redis, say });
    } finally {
      redis.disconnect();
    }
  });
}
