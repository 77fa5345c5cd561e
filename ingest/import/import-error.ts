/** A failure of an import that the person at the terminal can act on: told in one line, without a stack. */
export class ImportError extends Error {}

/** What a file or the unpacking of one raised, as an {@link ImportError}; anything else as it is. */
export function actionable(error: unknown): unknown {
  const { errno, message } = error as NodeJS.ErrnoException;
  return error instanceof Error && typeof errno === 'number' ? new ImportError(message) : error;
}
