import { ConfigError } from './config-error.ts';
import { Problem } from './problem.ts';

/** To a thread. It ends by itself after it was told to close. */
export type ToThread<Ask> = { kind: 'ask'; id: number; ask: Ask } | { kind: 'close' };

/** From a thread. */
export type FromThread =
  /** It can be asked, and tells of itself what those who ask must know. */
  | { kind: 'ready'; about: unknown }
  | { kind: 'cannot_start'; failure: Failure }
  | { kind: 'answer'; id: number; answer: unknown }
  | { kind: 'failed'; id: number; failure: Failure };

/** An error as it passes between threads, which keep neither class nor fields of one. */
export interface Failure {
  message: string;
  stack: string | undefined;
  /** The configuration is wrong: no stack, the message is for the person who wrote it. */
  isConfigError?: true;
  /** Of a {@link Problem}. */
  problem?: Pick<Problem, 'status' | 'title' | 'detail' | 'extra' | 'headers'>;
}

export function failureOf(error: unknown): Failure {
  if (error instanceof Problem) {
    const { message, status, title, detail, extra, headers } = error;
    return { message, stack: undefined, problem: { status, title, detail, extra, headers } };
  }
  if (error instanceof ConfigError) return { message: error.message, stack: undefined, isConfigError: true };
  const { message, stack } = error instanceof Error ? error : new Error(String(error));
  return { message, stack };
}

export function errorOf({ message, stack, isConfigError, problem }: Failure): Error {
  if (problem) return new Problem(problem.status, problem.title, problem.detail, problem);
  if (isConfigError) return new ConfigError(message);
  const error = new Error(message);
  if (stack !== undefined) error.stack = stack;
  return error;
}
