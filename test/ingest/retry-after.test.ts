import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { DeniedListReader } from '../../ingest/guard-list.ts';
import { guardSettings } from '../../ingest/guard-options.ts';
import { retryAfterMs } from '../../ingest/retry-after.ts';
import { settingsOf } from '../../ingest/sender-options.ts';
import { post } from '../../ingest/sender-post.ts';

const NOW = Date.parse('2026-11-21T14:00:00Z');
const DAY = 86_400_000;

test.each([
  ['0', 0],
  ['120', 120_000],
  [' 7 ', 7_000],
  ['86401', DAY],
  ['9999999999', DAY],
  ['99999999999', undefined],
  ['Sat, 21 Nov 2026 14:02:00 GMT', 120_000],
  ['Saturday, 21-Nov-26 14:02:00 GMT', 120_000],
  ['Sat, 21 Nov 2026 13:00:00 GMT', 0],
  ['Sat, 21 Nov 2099 13:00:00 GMT', DAY],
  ['-5', undefined],
  ['1.5', undefined],
  ['soon', undefined],
  ['2026', 2_026_000],
  ['2026-11-21', undefined],
  ['', undefined],
  [undefined, undefined],
])('Retry-After: %j is %j ms', (value, expected) => {
  expect(retryAfterMs(value, NOW, DAY)).toBe(expected);
});

test.each([
  ['2', 2_000],
  ['Sat, 21 Nov 2099 13:00:00 GMT', 60_000],
  ['soon', 0],
])('the guard keeps it up to a minute: %j is %i ms', async (header, retryAfterMs) => {
  const server = createServer((_req, res) => void res.writeHead(503, { 'Retry-After': header }).end());
  onTestFinished(() => void server.close());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const reader = new DeniedListReader(guardSettings({ url, token: 't' }), new AbortController().signal);
  await expect(reader.next(undefined)).rejects.toMatchObject({ status: 503, retryAfterMs });
});

test.each([
  ['2', 2_000],
  ['Sat, 21 Nov 2099 13:00:00 GMT', 600_000],
  ['1.5', undefined],
])('the sender keeps it up to ten minutes: %j is %j ms', async (retryAfter, afterMs) => {
  const connection = { post: async () => ({ status: 503, statusText: '', retryAfter, text: '' }), close: () => {} };
  const settings = settingsOf({ url: 'http://keytally', token: 't' });
  const outcome = await post(connection as never, settings, Buffer.from(''), 'key', new AbortController().signal);
  expect(outcome).toMatchObject({ kind: 'retry', afterMs });
});
