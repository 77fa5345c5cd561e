import type { Config } from './config.ts';
import type { IntakeRequest } from './intake.ts';

/** What an intake thread is started with. */
export interface IntakeStart {
  config: Config;
  redisUrl: string;
}

/** What it is asked. */
export type IntakeAsk =
  | {
      kind: 'take';
      /** The body comes as what a Buffer becomes on its way between threads. */
      request: Omit<IntakeRequest, 'body'> & { body: Uint8Array };
      /** Traceparent of the request's span, when it is traced. */
      trace: string | undefined;
    }
  | { kind: 'metrics' };
