import { ConfigError } from '../ingest/config-error.ts';
import { classifyInsertError, isRefusedByRedis } from '../workers/errors.ts';

const MAX_REASON_LENGTH = 300;

/**
 * What a start that failed says: a server that goes away or refuses in the middle of it is a matter for whoever starts it
 * again, one line that names the server, no stack. Anything else stays as it is.
 *
 * @param onServer whether ClickHouse is a server, not the embedded engine
 */
export function startError(error: unknown, onServer: boolean): unknown {
  if (error instanceof ConfigError) return error;
  const { message = '' } = error as { message?: string };
  const reason = message.split('\n')[0]!.slice(0, MAX_REASON_LENGTH);
  if (isRefusedByRedis(error)) return new ConfigError(`REDIS_URL: Redis refused during the start: ${reason}`);
  if (!onServer || classifyInsertError(error) !== 'wait') return error;
  return new ConfigError(`CLICKHOUSE_URL: ClickHouse went away, or refused, during the start: ${reason}`);
}
