import { spawn } from 'node:child_process';
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { packageRoot } from '../../ingest/package-root.ts';
import { openBatchQueue } from '../../ingest/queue.ts';
import { connectRedis } from '../../ingest/redis.ts';
import { ADMIN_TOKEN, type Stack, startStack } from '../support/stack.ts';
import { tempFolder } from '../support/temp-folder.ts';

const REAL_LOG = join(packageRoot(), 'ingest/demo/apache_combined.log');
let stack: Stack;
let folder: string;

beforeAll(async () => {
  folder = tempFolder();
  // The log is of 2015.
  stack = await startStack({
    ACCEPT_PAST_DAYS: '20000',
    RETENTION_REQUESTS_DAYS: '20000',
    RETENTION_MINUTE_DAYS: '20000',
    RETENTION_QUARTER_HOUR_DAYS: '20000',
    RETENTION_DAY_DAYS: '20000',
  });
});
afterAll(() => stack.stop());

async function runImport(flags: string[], stdin?: Buffer): Promise<{ code: number | null; out: string; err: string }> {
  const state = flags.includes('--state') ? [] : ['--state', join(folder, 'state.json')];
  const child = spawn(process.execPath, ['dist/main.js', 'import', '--url', stack.url, ...state, ...flags], {
    cwd: packageRoot(),
    env: { PATH: process.env.PATH, HOME: folder, KEYTALLY_TOKEN: ADMIN_TOKEN },
  });
  let [out, err] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => (out += chunk));
  child.stderr.on('data', (chunk: Buffer) => (err += chunk));
  child.stdin.end(stdin ?? '');
  const code = await new Promise<number | null>((resolve) => child.once('exit', resolve));
  return { code, out, err };
}

async function total(condition = '1'): Promise<number> {
  const [row] = await stack.store.query<{ counted: number }>(
    `SELECT count() AS counted FROM requests WHERE ${condition}`,
  );
  return row!.counted;
}

/** Everything queued so far is counted: the queue holds no job. */
async function settled(): Promise<void> {
  const redis = await connectRedis(stack.redisUrl, 'producer', () => {});
  const queue = openBatchQueue(redis, 0);
  await expect
    .poll(async () => Object.values(await queue.getJobCounts('waiting', 'active', 'delayed', 'failed')))
    .toEqual([0, 0, 0, 0]);
  await queue.close();
  redis.disconnect();
}

describe('the real log', () => {
  const flags = ['--format', 'apache', '--key', 'ip', REAL_LOG];

  test('is counted whole, with a bar, a rate and a summary', async () => {
    const { code, out, err } = await runImport(flags);
    expect([code, out]).toEqual([0, '  10,000 lines read, 10,000 requests counted\n']);
    expect(err).toMatch(/100%.*lines\/s/);
    await settled();
    expect(await total("path NOT LIKE '/grown/%'")).toBe(10_000);
  });

  test('a second run says so and counts nothing twice', async () => {
    const { out } = await runImport(flags);
    expect(out).toContain('10,000 lines were imported by an earlier run');
    await settled();
    expect(await total("path NOT LIKE '/grown/%'")).toBe(10_000);
  });

  test('also from another machine, which knows nothing of the first run, and packed', async () => {
    const packed = join(folder, 'log.gz');
    writeFileSync(packed, gzipSync(readFileSync(REAL_LOG)));
    await runImport([...flags.slice(0, -1), packed, '--state', join(folder, 'other-state.json')]);
    await runImport([...flags.slice(0, -1), '-'], readFileSync(REAL_LOG));
    await settled();
    expect(await total("path NOT LIKE '/grown/%'")).toBe(10_000);
  });
});

describe('a log that goes on', () => {
  const line = (n: number) =>
    `198.51.100.${n % 200} - - [01/Nov/2026:10:00:${String(n % 60).padStart(2, '0')} +0000] "GET /grown/${n} HTTP/1.1" 200 10 "-" "x"\n`;
  const GROWN = "path LIKE '/grown/%'";

  test('is continued where the last run stopped', async () => {
    const file = join(folder, 'grown.log');
    writeFileSync(file, Array.from({ length: 7_000 }, (_, n) => line(n)).join(''));
    await runImport(['--format', 'nginx', '--key', 'id:grown', file]);
    appendFileSync(file, Array.from({ length: 700 }, (_, n) => line(7_000 + n)).join(''));
    const { out } = await runImport(['--format', 'nginx', '--key', 'id:grown', file]);
    expect(out).toBe('  700 lines read, 700 requests counted\n  7,000 lines were imported by an earlier run\n');
    await settled();
    expect(await total(GROWN)).toBe(7_700);
  });

  test('--since leaves out what is older; bad lines are named by reason and line', async () => {
    const file = join(folder, 'mixed.log');
    writeFileSync(
      file,
      `${line(1)}not a log line\n${line(2).replace('01/Nov', '01/Oct')}${line(3).replace(' 200 ', ' 999 ')}`,
    );
    const { code, out } = await runImport(['--format', 'nginx', '--key', 'id:mixed', '--since', '2026-10-15', file]);
    expect([code, out]).toEqual([0, expect.stringContaining('4 lines read, 1 requests counted')]);
    expect(out).toContain('1 older than --since');
    expect(out).toMatch(/1 rejected: .*\(first near line 2\)/);
    expect(out).toMatch(/1 rejected: .*status.*\(first near line 4\)/);
  });
});

test.each([
  ['an unknown format', ['--format', 'iis', REAL_LOG], /--format: "iis" is not one of/],
  ['a key that is no rule', ['--format', 'apache', '--key', 'cookie', REAL_LOG], /--key: "cookie" is none of/],
  ['a date that is none', ['--format', 'apache', '--since', 'soon', REAL_LOG], /--since: "soon" is not a date/],
  ['a wrong token', ['--format', 'apache', '--token', 'kt_wrong', '--key', 'id:x', REAL_LOG], /answered 401/],
  ['a missing file', ['--format', 'apache', '/nowhere.log'], /no such file/],
])('%s: one clear line and exit code 1', async (_name, flags, message) => {
  const { code, err } = await runImport(flags);
  expect(code).toBe(1);
  expect(err.trim().split('\n').at(-1)).toMatch(message);
  expect(err).not.toContain('    at ');
});
