import { type DestinationStream, type Logger, pino } from 'pino';
import type { Config } from './config.ts';
import { loggedError } from './logged-error.ts';

export type { Logger } from 'pino';

/** Structured log on standard error: standard output belongs to what a command prints. */
export function createLogger(
  config: Pick<Config, 'LOG_LEVEL'>,
  part: string,
  destination: DestinationStream = pino.destination({ dest: 2, sync: false }),
): Logger {
  return pino(
    {
      level: config.LOG_LEVEL,
      base: { part },
      serializers: { err: (error) => loggedError(error) },
      // A second line of defence: nothing that holds a credential is ever passed to the log on purpose.
      redact: { paths: ['*.authorization', '*.cookie', '*.token', '*.key', 'req.headers'], censor: '[redacted]' },
    },
    destination,
  );
}
