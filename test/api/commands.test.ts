import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { Command } from 'commander';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { nextPageText } from '../../api/commands/next-page.ts';
import { table } from '../../api/commands/table.ts';
import { ago, bytes, change, duration, percent, sparkline } from '../../api/commands/wording.ts';
import { packageRoot } from '../../ingest/package-root.ts';
import { ADMIN_TOKEN, type Stack, startStack } from '../support/stack.ts';
import { tempFolder } from '../support/temp-folder.ts';

let stack: Stack;
let folder: string;

/** Runs `keytally` as a process of its own against the stack. */
async function run(args: string[], { stdin = '', token = ADMIN_TOKEN, url = stack.url } = {}) {
  const child = spawn(process.execPath, ['dist/main.js', ...args, '--url', url], {
    cwd: packageRoot(),
    env: { PATH: process.env.PATH, HOME: folder, ...(token && { KEYTALLY_TOKEN: token }) },
  });
  let [out, err] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => (out += chunk));
  child.stderr.on('data', (chunk: Buffer) => (err += chunk));
  child.stdin.on('error', () => undefined).end(stdin);
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { code, out, err };
}

const put = (keyId: string, body: object) =>
  stack.call(`/v1/keys/${encodeURIComponent(keyId)}`, { method: 'PUT', body });

beforeAll(async () => {
  folder = tempFolder();
  stack = await startStack();
  await put('orders', {
    name: 'Orders \u001b[2J service',
    prefix: 'sk_live_ab',
    organization_id: 'acme',
    environment: 'production',
    limits: { per_day: 5_000 },
    owner: { name: 'Ada', email: 'ada@example.com' },
    expires_at: new Date(Date.now() + 20.5 * 86_400_000).toISOString(),
  });
  await put('idle', { name: 'Idle 日本語', organization_id: 'acme', environment: 'staging' });
  await put('a/b c', {});
  const records = Array.from({ length: 1_200 }, (_, n) => ({
    key_id: 'orders',
    method: 'GET',
    route: n % 4 === 0 ? '/v1/refunds' : '/v1/orders/{id}',
    status: n % 12 === 0 ? 404 : 200,
    latency_ms: 12,
    timestamp: Date.now() - (n % 5) * 86_400_000,
  }));
  await stack.send(records);
  await stack.untilCounted(1_200);
});
afterAll(() => stack.stop());

describe('keytally keys list', () => {
  test('an aligned table: masked secrets, human times, separated thousands, no control characters', async () => {
    const { code, out } = await run(['keys', 'list', '--organization', 'acme']);
    expect(code).toBe(0);
    const [head, orders, idle] = out.split('\n');
    expect(head).toMatch(/^KEY {5}NAME +SECRET +ORGANIZATION +ENVIRONMENT +STATUS +EXPIRES +LAST USED +REQUESTS/);
    expect(orders).toMatch(
      /^orders {2}Orders \ufffd\[2J service {2}sk_live_ab•••• {2}acme +production +active +in 20 days/,
    );
    expect(orders).toMatch(/(just now|minutes? ago) +1,200 +1,200 +8\.3%$/);
    expect(idle).toMatch(/^idle +Idle 日本語 .*never +0 +0 +–$/);
    // Each of the three wide characters takes two columns.
    expect(idle!.indexOf('acme')).toBe(head!.indexOf('ORGANIZATION') - 3);
  });

  test('--json is the answer of the api as it is', async () => {
    const { out } = await run(['keys', 'list', '--json', '--search', 'idle']);
    const untimed = (text: string) => text.replace(/"figures_as_of":"[^"]+"/, '"figures_as_of":""');
    expect(untimed(out)).toBe(`${untimed((await stack.call('/v1/keys?search=idle')).text)}\n`);
  });

  test.each([
    [['--search', 'Orders'], ['orders']],
    [['--status', 'inactive'], []],
    [['--organization', 'acme', '--environment', 'staging'], ['idle']],
    [
      ['--sort', 'key_id'],
      ['a/b c', 'idle', 'orders'],
    ],
    [['--sort', '-requests_30d', '--limit', '1'], ['orders']],
    [['--unused-days', '1', '--search', 'orders'], []],
  ])('filters: %j', async (flags, keyIds) => {
    const { out } = await run(['keys', 'list', '--json', ...flags]);
    expect(JSON.parse(out).data.map((key: { key_id: string }) => key.key_id)).toEqual(keyIds);
  });

  test('goes on where a page ended', async () => {
    const { out } = await run(['keys', 'list', '--sort', 'key_id', '--limit', '2', '--token', ADMIN_TOKEN]);
    const [, command] = /\nmore with keytally (keys list --.*)\n$/.exec(out)!;
    expect(command).not.toContain(ADMIN_TOKEN);
    expect((await run(command!.split(' '))).out).toMatch(/^KEY.*\norders +Orders.*\n$/);
    expect((await run(['keys', 'list', '--search', 'nothing like it'])).out).toBe('no such keys\n');
  });
});

test('keytally keys show: a line per fact, also of a key whose id is no path', async () => {
  const { out } = await run(['keys', 'show', 'orders']);
  expect(out).toMatch(/^secret +sk_live_ab••••$/m);
  expect(out).toMatch(/^owner +Ada <ada@example\.com>$/m);
  expect(out).toMatch(/^limit per day +5,000, \d+(\.\d)?% used$/m);
  expect(out).toMatch(/^expires +\d{4}-\d\d-\d\d \d\d:\d\d UTC \(in 20 days\)$/m);
  expect(out).toMatch(/^requests +1,200$/m);
  expect((await run(['keys', 'show', 'a/b c'])).out).toMatch(/^key +a\/b c$/m);
  const json = JSON.parse((await run(['keys', 'show', 'orders', '--json'])).out);
  expect(json).toEqual((await stack.call('/v1/keys/orders')).json);
});

test('keytally usage: totals, a line of blocks, breakdowns; filters; --json', async () => {
  const { out } = await run(['usage', 'orders']);
  expect(out).toMatch(/^requests +1,200$/m);
  expect(out).toMatch(/^client errors +100 \(8\.3%\)$/m);
  expect(out).toMatch(/^latency +p50 12(\.\d)? ms, /m);
  expect(out).toMatch(/^[·▁▂▃▄▅▆▇█]+$/m);
  expect(out).toMatch(/^GET \/v1\/orders\/\{id\} +900 /m);
  expect(out).toMatch(/^404 +100$/m);
  const refunds = (await run(['usage', 'orders', '--route', '/v1/refunds', '--status', '4xx'])).out;
  expect(refunds).toMatch(/^filters +route \/v1\/refunds, status 4xx$/m);
  expect(refunds).toMatch(/^requests +100$/m);
  expect((await run(['usage', 'idle'])).out).toMatch(/^requests +0\n$/m);
  const range = ['--from', '2026-01-01', '--to', '2026-01-03', '--bucket', 'day', '--timezone', 'Europe/Stockholm'];
  const json = JSON.parse((await run(['usage', 'orders', '--json', ...range])).out);
  expect(json).toMatchObject({ key_id: 'orders', bucket: 'day', timezone: 'Europe/Stockholm' });
});

test('a key is deactivated and reactivated; its history says who, why and what', async () => {
  await put('walk', {});
  const off = await run(['keys', 'deactivate', 'walk', '--reason', 'contract ended']);
  expect([off.code, off.out]).toEqual([0, expect.stringMatching(/^status +inactive, contract ended$/m)]);
  const on = await run(['keys', 'reactivate', 'walk', '--expires-at', '2099-01-31', '--json']);
  expect(JSON.parse(on.out)).toMatchObject({ status: 'active', expires_at: '2099-01-31T00:00:00.000Z' });
  await run(['keys', 'deactivate', 'walk', '--reason', 'again']);
  const never = await run(['keys', 'reactivate', 'walk', '--expires-at', 'never', '--reason', 'paid', '--json']);
  expect(JSON.parse(never.out)).toMatchObject({ expires_at: null, status: 'active' });
  const { out } = await run(['keys', 'history', 'walk']);
  const lines = out.trimEnd().split('\n');
  expect(lines[0]).toMatch(/^AT +ACTION +BY +REASON +CHANGES$/);
  expect(lines).toHaveLength(6);
  expect(lines[1]).toMatch(/key\.reactivated +\S+ +paid /);
  expect(lines[4]).toMatch(/UTC +key\.deactivated +\S+ +contract ended +.*status active → inactive/);
  expect(JSON.parse((await run(['keys', 'history', 'walk', '--json', '--limit', '2'])).out).data).toHaveLength(2);
});

describe('keytally keys import', () => {
  const file = (name: string, content: string | Buffer) => {
    writeFileSync(join(folder, name), content);
    return join(folder, name);
  };

  test('a clean file, CSV or NDJSON, plain or packed, or standard input', async () => {
    const csv = file('keys.csv', 'key_id,name\nimp_1,One\nimp_2,Two\n');
    expect(await run(['keys', 'import', csv])).toEqual({
      code: 0,
      out: '2 rows: 2 created, 0 updated, 0 unchanged, 0 rejected\n',
      err: '',
    });
    const packed = file('keys.ndjson.gz', gzipSync('{"key_id":"imp_1","name":"Uno"}\n{"key_id":"imp_2"}\n'));
    expect((await run(['keys', 'import', packed])).out).toBe('2 rows: 0 created, 1 updated, 1 unchanged, 0 rejected\n');
    const piped = await run(['keys', 'import', '-', '--format', 'ndjson', '--json'], { stdin: '{"key_id":"imp_3"}' });
    expect(JSON.parse(piped.out)).toMatchObject({ rows: 1, created: 1 });
  });

  test('bad rows are named by their line, good ones kept; the exit code says so', async () => {
    const rows = ['key_id,limit_per_day', 'row_1,10', 'row_2,-1', 'row_1,20', 'row_4,x', 'row_5,50'];
    const path = file('mixed.csv', rows.join('\n'));
    const { code, out } = await run(['keys', 'import', path]);
    expect(code).toBe(1);
    const lines = out.trimEnd().split('\n');
    expect(lines[0]).toContain(`${path}:3: row_2: limits.per_day `);
    expect(lines[1]).toContain(`${path}:4: row_1: key_id stands in an earlier row`);
    expect(lines[2]).toContain(`${path}:5: row_4: limits.per_day `);
    expect(lines[3]).toBe('5 rows: 2 created, 0 updated, 0 unchanged, 3 rejected');
    const none = await run(['keys', 'import', file('none.ndjson', 'nonsense')]);
    expect([none.code, none.err]).toEqual([1, 'Bad request: no row could be taken\n']);
    expect(none.out).toContain('none.ndjson:1: row is not valid JSON');
  });

  test.each([
    ['an unknown column', ['bad.csv'], 'key_id,color\na,red\n', /^Bad request: color: is no column of an import/],
    ['an unknown ending', ['keys.xlsx'], 'x', /^--format: say csv or ndjson/],
    ['an unknown format', ['keys.csv', '--format', 'xml'], 'x', /^--format: "xml" is neither/],
    ['a missing file', ['../nowhere.csv'], '', /no such file/],
  ])('%s: one clear line', async (_name, [name, ...flags], content, message) => {
    const path = name!.startsWith('..') ? '/nowhere.csv' : file(name!, content);
    const { code, err } = await run(['keys', 'import', path, ...flags]);
    expect([code, err.trimEnd().split('\n').length]).toEqual([1, 1]);
    expect(err).toMatch(message);
  });
});

describe('errors are one clear line and exit code 1', () => {
  test.each([
    ['an unknown key', ['keys', 'show', 'nobody'], {}, /^Not found: there is no such key/],
    ['a filter with a wrong value', ['keys', 'list', '--status', 'lost'], {}, /^Bad request: status: /],
    ['a wrong limit', ['keys', 'list', '--limit', '9999'], {}, /^Bad request: limit: /],
    [
      'a wrong token',
      ['usage', 'orders'],
      { token: `kt_${'x'.repeat(40)}` },
      /^Unauthorized: .* \(--token or KEYTALLY/,
    ],
    ['no token', ['keys', 'list'], { token: '' }, /^--token: give a token, or set KEYTALLY_TOKEN/],
    ['nobody there', ['keys', 'list'], { url: 'http://127.0.0.1:1' }, /^http:\/\/127\.0\.0\.1:1 cannot be reached: /],
    ['no address', ['keys', 'list'], { url: 'localhost' }, /^--url: "localhost" is not an address/],
    [
      'a time that is none',
      ['keys', 'reactivate', 'orders', '--expires-at', 'soon'],
      {},
      /^--expires-at: "soon" is not/,
    ],
    ['an expiry in the past', ['keys', 'reactivate', 'orders', '--expires-at', '2020-01-01'], {}, /expires_at: /],
    ['no reason', ['keys', 'deactivate', 'orders'], {}, /required option '--reason <text>'/],
  ])('%s', async (_name, args, options, message) => {
    const { code, out, err } = await run(args, options);
    expect([code, out, err.trimEnd().split('\n').length]).toEqual([1, '', 1]);
    expect(err).toMatch(message);
  });

  test('a token that may only read', async () => {
    const token = await stack.token({ name: 'reader', scopes: ['read'] });
    const { code, err } = await run(['keys', 'deactivate', 'orders', '--reason', 'x'], { token });
    expect([code, err]).toEqual([1, expect.stringMatching(/^Forbidden: .*manage/)]);
  });

  test.each<[string, RequestListener, RegExp]>([
    ['another web server', (_req, res) => void res.end('<html></html>'), /does not answer as Keytally/],
    ['a proxy without a backend', (_req, res) => void res.writeHead(502).end('bad'), /^answered 502 Bad Gateway/],
    ['a redirect', (_req, res) => void res.writeHead(302, { location: 'http://127.0.0.1:1' }).end(), /^answered 302/],
  ])('%s', async (_name, answer, message) => {
    const server = createServer(answer);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const { code, err } = await run(['keys', 'list'], { url });
    server.close();
    expect([code, err.trimEnd().split('\n').length]).toEqual([1, 1]);
    expect(err).toMatch(message);
  });
});

describe('how figures are said', () => {
  const now = Date.parse('2026-11-20T12:00:00Z');
  test.each([
    ['2026-11-20T11:59:30Z', 'just now'],
    ['2026-11-20T12:00:30Z', 'in seconds'],
    ['2026-11-20T11:58:00Z', '2 minutes ago'],
    ['2026-11-20T09:10:00Z', '2 hours ago'],
    ['2026-11-27T13:00:00Z', 'in 7 days'],
    ['2026-08-20T12:00:00Z', '3 months ago'],
    ['2024-08-20T12:00:00Z', '2 years ago'],
  ])('%s is %s', (time, said) => expect(ago(time, now)).toBe(said));

  test('shares, durations, bytes, changes', () => {
    expect([0, 0.00001, 0.0004, 0.083, 0.4, 0.9999, 1, 1.26].map(percent)).toEqual([
      '0%',
      '<0.01%',
      '0.04%',
      '8.3%',
      '40%',
      '99.9%',
      '100%',
      '126%',
    ]);
    expect([null, 0.25, 12, 123.4, 1_240].map(duration)).toEqual(['–', '0.3 ms', '12 ms', '123 ms', '1.24 s']);
    expect([0, 512, 1_300_000, 5e15].map(bytes)).toEqual(['0 B', '512 B', '1.3 MB', '5000 TB']);
    expect([change(112, 100), change(97, 100), change(5, 0)]).toEqual(['+12%', '−3%', '']);
  });

  test('the next page is the same command, as a shell reads it', () => {
    const command = new Command('list')
      .argument('<key>')
      .option('--search <text>')
      .option('--limit <number>', '', '50');
    command.option('--cursor <cursor>').option('--token <token>');
    new Command('keytally').addCommand(command);
    command.parse(['it’s/a', '--search', "Ada's key", '--cursor', 'old', '--token', 'kt_hidden'], { from: 'user' });
    expect(nextPageText(command, 'new')).toBe(
      "more with keytally list 'it’s/a' --search 'Ada'\\''s key' --cursor new\n",
    );
    expect(nextPageText(command, null)).toBe('');
  });

  test('a line of blocks', () => {
    expect(sparkline([0, 1, 4, 8])).toBe('·▂▅█');
    expect(sparkline([0, 0])).toBe('··');
    expect(sparkline(Array.from({ length: 1_000 }, () => 3))).toBe('█'.repeat(59));
    // As high as its highest hour, whether its block stands for three or for one.
    expect(sparkline(Array.from({ length: 121 }, (_, at) => (at % 60 === 0 ? 9 : 1)))).toMatch(/^█▁+█▁+█$/);
  });

  test('a table leaves out what is empty everywhere, and cuts long cells', () => {
    const columns = [{ title: 'a' }, { title: 'b' }, { title: 'number', right: true }];
    expect(
      table(columns, [
        ['x', '', '1'],
        ['y'.repeat(50), '', '22'],
      ]),
    ).toBe(`A${' '.repeat(41)}NUMBER\nx${' '.repeat(46)}1\n${'y'.repeat(39)}…${' '.repeat(6)}22\n`);
  });
});
