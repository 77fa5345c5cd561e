import { Problem } from '../ingest/problem.ts';

/** Opaque position in a list: what the caller gets is only to be handed back. */
export function encodeCursor(position: object): string {
  return Buffer.from(JSON.stringify(position)).toString('base64url');
}

/** @throws {Problem} 400 when it is not a cursor of this list */
export function decodeCursor<Position>(
  cursor: string | undefined,
  isPosition: (value: unknown) => value is Position,
): Position | undefined {
  if (cursor === undefined || cursor === '') return undefined;
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
  } catch {
    value = undefined;
  }
  if (!isPosition(value)) {
    throw new Problem(400, 'Bad request', 'cursor: is not a cursor of this list', {
      extra: { errors: [{ field: 'cursor', message: 'is not a cursor of this list' }] },
    });
  }
  return value;
}
