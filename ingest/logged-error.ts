/** What the log keeps of an error. */
interface LoggedError {
  type: string;
  message: string;
  stack?: string;
  code?: string | number;
  cause?: LoggedError;
  /** Of several tries, such as one for each address of a host. */
  errors?: LoggedError[];
}

const MAX_CAUSES = 5;
const MAX_ERRORS = 10;

/**
 * An error without what libraries hang on it: a reply error of Redis carries the command that failed, with the password of a login or the whole
 * payload of a batch.
 */
export function loggedError(error: unknown, depth = 0): unknown {
  if (typeof error !== 'object' || error === null) return error;
  const { name, message, stack, code, cause, lastNodeError, errors } = error as Partial<Error> & {
    code?: unknown;
    lastNodeError?: unknown;
    errors?: unknown;
  };
  const logged: LoggedError = { type: error.constructor?.name || String(name), message: String(message ?? '') };
  if (typeof stack === 'string') logged.stack = stack;
  if (typeof code === 'string' || typeof code === 'number') logged.code = code;
  if (depth >= MAX_CAUSES) return logged;
  // A Redis Cluster says in its error only that no node could be asked, and here why.
  const reason = cause ?? lastNodeError;
  if (reason instanceof Error) logged.cause = loggedError(reason, depth + 1) as LoggedError;
  if (Array.isArray(errors)) {
    const several = errors.filter((each) => each instanceof Error).slice(0, MAX_ERRORS);
    if (several.length > 0) logged.errors = several.map((each) => loggedError(each, depth + 1) as LoggedError);
  }
  return logged;
}
