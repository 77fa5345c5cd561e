/** An answer that is not a success, in the words of RFC 9457 where the api sent them. */
export class ProblemError extends Error {
  readonly status: number;
  readonly detail: string;
  /** The part of the question that was refused, when the answer named one. */
  readonly field: string;

  constructor(status: number, title: string, detail = '', field = '') {
    super(title);
    this.name = 'ProblemError';
    this.status = status;
    this.detail = detail;
    this.field = field;
  }
}

const TITLES: Record<number, string> = {
  401: 'You are signed out',
  403: 'This token may not see that',
  404: 'Not found',
  429: 'Too many requests',
  503: 'The store is not reachable right now',
};

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function firstField(errors: unknown): string {
  return Array.isArray(errors) ? text((errors[0] as { field?: unknown } | undefined)?.field) : '';
}

/** `body` is what the answer carried: problem+json, or anything a proxy in between put there. */
export function problemFrom(status: number, body: string): ProblemError {
  let fields: Record<string, unknown> = {};
  try {
    const parsed: unknown = JSON.parse(body);
    if (parsed && typeof parsed === 'object') fields = parsed as Record<string, unknown>;
  } catch {
    // An HTML page of a proxy helps nobody: the status says enough.
  }
  const title = text(fields.title) || TITLES[status] || `The server answered ${status}`;
  return new ProblemError(status, title, text(fields.detail), firstField(fields.errors));
}

export function problemOf(error: unknown): ProblemError {
  if (error instanceof ProblemError) return error;
  return new ProblemError(0, 'The server could not be reached', 'Check the connection, then try again.');
}
