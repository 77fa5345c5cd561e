import type { Config } from './config.ts';
import type { IntakeAnswer, IntakeRequest } from './intake.ts';
import { Problem } from './problem.ts';

/** What a thread is started with. */
export interface ThreadStart {
  config: Config;
  redisUrl: string;
}

/** To the thread. A body comes as what a Buffer becomes on its way between threads. */
export type ToThread =
  | {
      kind: 'take';
      id: number;
      request: Omit<IntakeRequest, 'body'> & { body: Uint8Array };
      /** Traceparent of the request's span, when it is traced. */
      trace: string | undefined;
    }
  | { kind: 'metrics'; id: number }
  | { kind: 'close' };

/** From the thread. It ends by itself after it was told to close. */
export type FromThread =
  | { kind: 'ready' }
  | { kind: 'answer'; id: number; answer: IntakeAnswer }
  | { kind: 'failed'; id: number; failure: Failure }
  | { kind: 'metrics'; id: number; metrics: object[] };

/** An error as it passes between threads, which keep neither class nor fields of one. */
export interface Failure {
  message: string;
  stack: string | undefined;
  /** Of a {@link Problem}. */
  problem?: Pick<Problem, 'status' | 'title' | 'detail' | 'extra' | 'headers'>;
}

export function failureOf(error: unknown): Failure {
  if (error instanceof Problem) {
    const { message, status, title, detail, extra, headers } = error;
    return { message, stack: undefined, problem: { status, title, detail, extra, headers } };
  }
  const { message, stack } = error instanceof Error ? error : new Error(String(error));
  return { message, stack };
}

export function errorOf({ message, stack, problem }: Failure): Error {
  if (problem) return new Problem(problem.status, problem.title, problem.detail, problem);
  const error = new Error(message);
  if (stack !== undefined) error.stack = stack;
  return error;
}
