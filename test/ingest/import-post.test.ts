import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { actionable, ImportError } from '../../ingest/import/import-error.ts';
import { postRecords } from '../../ingest/import/import-post.ts';

let server: Server | undefined;
afterEach(() => void server?.close());

/** A server that answers in turn; the keys it was asked under. */
async function answering(...answers: [status: number, body: string][]): Promise<{ url: string; keys: unknown[] }> {
  const keys: unknown[] = [];
  server = createServer((req, res) => {
    keys.push(req.headers['idempotency-key']);
    const [status, body] = answers.shift()!;
    req.resume().once('end', () => void res.writeHead(status).end(body));
  });
  await new Promise<void>((resolve) => server!.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, keys };
}

const post = (url: string) => postRecords({ url, token: 't' }, 'chunk-1', [{ key_id: 'k', status: 200 }]);

test.each([
  [404, '<!DOCTYPE html><title>Not found</title>'],
  [200, 'welcome'],
  [200, 'null'],
])('%i %s: not Keytally, which is said at once', async (status, body) => {
  const { url, keys } = await answering([status, body]);
  await expect(post(url)).rejects.toThrow(new ImportError(`${url} does not answer as Keytally (${status}): see --url`));
  expect(keys).toEqual(['chunk-1']);
});

test('a refusal is told in its own words', async () => {
  const { url } = await answering([401, JSON.stringify({ detail: 'the token is unknown' })]);
  await expect(post(url)).rejects.toThrow(new ImportError(`${url} answered 401: the token is unknown`));
});

test('a server that is away for a moment is asked again under the same key', async () => {
  const { url, keys } = await answering(
    [503, '<html>away</html>'],
    [202, JSON.stringify({ accepted: 1, rejected: 0 })],
  );
  expect(await post(url)).toEqual({ accepted: 1, rejected: 0, errors: [] });
  expect(keys).toEqual(['chunk-1', 'chunk-1']);
});

test('what a file raises is told in one line, a fault of the program with its stack', () => {
  const missing = Object.assign(new Error("ENOENT: no such file or directory, open 'x'"), {
    errno: -2,
    code: 'ENOENT',
  });
  expect(actionable(missing)).toEqual(new ImportError(missing.message));
  expect(actionable(missing)).toBeInstanceOf(ImportError);
  const fault = new TypeError('x is not a function');
  expect(actionable(fault)).toBe(fault);
});
