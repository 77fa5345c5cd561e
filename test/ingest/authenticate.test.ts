import type { Request, Response } from 'express';
import { expect, test } from 'vitest';
import { authenticate } from '../../ingest/authenticate.ts';
import { createLogger } from '../../ingest/logger.ts';
import { Problem, problemHandler } from '../../ingest/problem.ts';
import type { TokenReader } from '../../ingest/token.ts';

const request = { method: 'GET', path: '/v1/keys', get: () => 'Bearer kt_CANARY' } as unknown as Request;

function handler() {
  const lines: string[] = [];
  const handle = problemHandler(
    createLogger({ LOG_LEVEL: 'info' }, 'test', { write: (line) => void lines.push(line) }),
  );
  const answer: { body?: string; status?: number } = {};
  const response = {
    status: (status: number) => Object.assign(response, { answered: Object.assign(answer, { status }) }),
    set: () => response,
    type: () => response,
    send: (body: string) => Object.assign(answer, { body }),
  } as unknown as Response;
  const answered = (error: unknown) => {
    handle(error, request, response, () => {});
    return answer;
  };
  return { lines, answered };
}

test('why tokens cannot be checked is logged, once while it lasts, and not shown', async () => {
  const cause = new Error("NOPERM this user has no permissions to run the 'hget' command");
  const tokens = { find: () => Promise.reject(cause) } as unknown as TokenReader;
  const { lines, answered } = handler();
  for (let n = 0; n < 3; n++) {
    const error = await authenticate(tokens, request, 'read').catch((refused: unknown) => refused);
    const { status, body } = answered(error);
    expect([status, body]).toEqual([503, expect.stringContaining('tokens cannot be checked at the moment')]);
    expect(body).not.toContain('NOPERM');
  }
  expect(lines).toHaveLength(1);
  expect(JSON.parse(lines[0]!)).toMatchObject({ level: 40, err: { message: cause.message }, path: '/v1/keys' });
  expect(lines[0]).not.toContain('CANARY');
});

test('a refusal that is the caller’s is not logged', () => {
  const { lines, answered } = handler();
  expect(answered(new Problem(401, 'Unauthorized', 'the token is unknown')).status).toBe(401);
  expect(lines).toEqual([]);
});
