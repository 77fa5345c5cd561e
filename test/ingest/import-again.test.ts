import { createHash } from 'node:crypto';
import { appendFileSync, readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { formatByName } from '../../ingest/formats/registry.ts';
import { type ImportOptions, importLog } from '../../ingest/import/import-log.ts';
import { ImportState } from '../../ingest/import/import-state.ts';
import { ADMIN_TOKEN, type Stack, startStack } from '../support/stack.ts';
import { tempFolder } from '../support/temp-folder.ts';

let stack: Stack;
const folder = tempFolder();
beforeAll(async () => {
  stack = await startStack({ ACCEPT_PAST_DAYS: '20000', RETENTION_REQUESTS_DAYS: '20000' });
});
afterAll(() => stack.stop());

let logs = 0;

/** A log of its own, imported under a key of its own. */
function newLog() {
  const key = `log_${logs++}`;
  const path = join(folder, `${key}.log`);
  const stateFile = `${path}.state`;
  const options = (overrides: Partial<ImportOptions> = {}): ImportOptions => ({
    format: formatByName('nginx')!,
    url: stack.url,
    token: ADMIN_TOKEN,
    formatOptions: { keySources: [] },
    key: { kind: 'id', id: key },
    sinceMs: 0,
    state: new ImportState(stateFile),
    ...overrides,
  });
  return {
    path,
    stateFile,
    write: (text: string | Buffer) => writeFileSync(path, text),
    append: (text: string) => appendFileSync(path, text),
    run: async (file = path, overrides: Partial<ImportOptions> = {}) => {
      const { rejects, ...summary } = await importLog(file, options(overrides), () => {});
      return { ...summary, rejects: [...rejects] };
    },
    /** Numbers of the lines that count, in order. */
    counted: async () => {
      await settled();
      const rows = await stack.store.query<{ path: string }>('SELECT path FROM requests WHERE key_id = {key:String}', {
        key,
      });
      return rows.map((row) => Number(row.path.slice(1))).sort((a, b) => a - b);
    },
  };
}

/** What was sent before has been counted. */
async function settled(): Promise<void> {
  const marker = `marker_${logs++}`;
  await stack.send([{ key_id: marker, status: 200 }]);
  await stack.untilTotal(marker, 1);
}

const line = (n: number) =>
  `198.51.100.7 - - [01/Nov/2026:10:00:${String(n % 60).padStart(2, '0')} +0000] "GET /${n} HTTP/1.1" 200 10 "-" "x"`;
const lines = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, at) => `${line(from + at)}\n`).join('');
const numbers = (to: number) => Array.from({ length: to }, (_, n) => n);

describe('the same log', () => {
  test('is continued when it has grown past 64 KiB', async () => {
    const log = newLog();
    log.write(lines(0, 600));
    await log.run();
    log.append(lines(600, 900));
    expect(readFileSync(log.path).length).toBeGreaterThan(65_536);
    expect(await log.run()).toMatchObject({ lines: 300, accepted: 300, alreadyImported: 600 });
    expect(await log.counted()).toEqual(numbers(900));
  });

  test.each([600, 1_800])('of %i lines is known when it comes packed, and grown', async (count) => {
    const log = newLog();
    log.write(lines(0, count));
    await log.run();
    const packed = `${log.path}.1.gz`;
    writeFileSync(packed, gzipSync(lines(0, count + 50)));
    expect(await log.run(packed)).toMatchObject({ lines: 50, alreadyImported: count });
    expect(await log.run(packed)).toMatchObject({ lines: 0, alreadyImported: count + 50 });
    expect(await log.counted()).toEqual(numbers(count + 50));
  });

  test('is continued from what the version before remembered, plain or packed', async () => {
    for (const [count, pack] of [
      [100, false],
      [1_800, false],
      [100, true],
    ] as const) {
      const log = newLog();
      const bytes = (text: string) => (pack ? gzipSync(text) : Buffer.from(text));
      log.write(bytes(lines(0, count)));
      const onDisk = readFileSync(log.path).subarray(0, 65_536);
      const end = onDisk.indexOf(10);
      const known = onDisk.length < 65_536 && end > 0 ? onDisk.subarray(0, end) : onDisk;
      const destination = `${stack.url} nginx {"kind":"id","id":"log_${logs - 1}"}`;
      const name = createHash('sha256').update(destination).update('\n').update(known).digest('hex');
      writeFileSync(log.stateFile, JSON.stringify({ [name]: { offset: lines(0, 90).length, line: 91 } }));
      expect(await log.run()).toMatchObject({ lines: count - 90, alreadyImported: 90 });
      expect(await log.run()).toMatchObject({ lines: 0, alreadyImported: count });
    }
  });
});

describe('another log with the same first line', () => {
  test('written over the first (copytruncate) is imported whole', async () => {
    const log = newLog();
    log.write(`${line(0)}\n${lines(1, 5)}`);
    await log.run();
    log.write(`${line(0)}\n${lines(5, 20)}`);
    expect(await log.run()).toMatchObject({ lines: 16, alreadyImported: 0 });
  });

  test('does not make the first one forgotten', async () => {
    const log = newLog();
    const other = `${log.path}.other`;
    log.write(`# started\n${lines(0, 5)}`);
    writeFileSync(other, `# started\n${lines(5, 10)}`);
    await log.run();
    await log.run(other);
    log.append(lines(10, 12));
    expect(await log.run()).toMatchObject({ lines: 2, alreadyImported: 6 });
    expect(await log.run(other)).toMatchObject({ lines: 0, alreadyImported: 6 });
    expect(await log.counted()).toEqual(numbers(12));
  });
});

describe('a last line without an end', () => {
  const [half, rest] = [line(2).slice(0, 60), line(2).slice(60)];

  test('that is half of one counts once it is whole', async () => {
    const log = newLog();
    log.write(lines(0, 2) + half);
    expect(await log.run()).toMatchObject({ lines: 3, accepted: 2 });
    log.append(rest.slice(0, 10));
    await log.run();
    log.append(`${rest.slice(10)}\n${lines(3, 5)}`);
    expect(await log.run()).toMatchObject({ lines: 3, accepted: 3, rejects: [], alreadyImported: 2 });
    expect(await log.counted()).toEqual(numbers(5));
  });

  test('that could be read counts once, whether or not it was all of it', async () => {
    const log = newLog();
    log.write(lines(0, 2) + line(2).slice(0, -3));
    await log.run();
    log.append(`${line(2).slice(-3)}\n${lines(3, 5)}`);
    await log.run();
    expect(await log.counted()).toEqual(numbers(5));
  });

  test('of a finished log counts, once: run again, packed, on another machine, and when its end is written', async () => {
    const log = newLog();
    log.write(lines(0, 2) + line(2));
    expect(await log.run()).toMatchObject({ lines: 3, accepted: 3 });
    expect(await log.run()).toMatchObject({ lines: 0, accepted: 0, alreadyImported: 3 });
    const packed = `${log.path}.gz`;
    writeFileSync(packed, gzipSync(readFileSync(log.path)));
    expect(await log.run(packed)).toMatchObject({ lines: 0, alreadyImported: 3 });
    await log.run(log.path, { state: new ImportState(`${log.stateFile}.elsewhere`) });
    log.append(`\n${lines(3, 4)}`);
    expect(await log.run()).toMatchObject({ lines: 1, accepted: 1, alreadyImported: 3 });
    expect(await log.counted()).toEqual(numbers(4));
  });

  test('that is its only one counts once as well', async () => {
    const log = newLog();
    log.write(line(0).slice(0, -3));
    await log.run();
    log.append(`${line(0).slice(-3)}\n${lines(1, 3)}`);
    await log.run();
    expect(await log.counted()).toEqual(numbers(3));
  });

  test('sent by a run that was killed before the answer counts once', async () => {
    const log = newLog();
    log.write(lines(0, 2) + line(2).slice(0, -3));
    await log.run();
    const states = JSON.parse(readFileSync(log.stateFile, 'utf8'));
    for (const [position] of Object.values<[{ unfinished: { isTaken: boolean } }]>(states))
      position.unfinished.isTaken = false;
    writeFileSync(log.stateFile, JSON.stringify(states));
    await log.run();
    log.append(`${line(2).slice(-3)}\n`);
    await log.run();
    expect(await log.counted()).toEqual(numbers(3));
  });
});

test('two imports at once, and one that was killed while it wrote: every log keeps its position', () => {
  const file = join(folder, 'shared.state');
  const names = (name: string) => ({ name, nameOfBeginning: 'log-', formerNames: [] });
  const position = (offset: number) => ({ offset, line: 1, sha256: 'a' });
  const [one, other] = [new ImportState(file), new ImportState(file)];
  one.set(names('log-one'), position(10), position(0));
  writeFileSync(`${file}.lock`, '');
  utimesSync(`${file}.lock`, new Date(0), new Date(0));
  other.set(names('log-other'), position(20), position(0));
  one.set(names('log-one'), position(30), position(10));
  const known = new ImportState(file);
  expect(known.positionsOf(names('log-one'))).toEqual([position(30)]);
  expect(known.positionsOf(names('log-other'))).toEqual([position(20)]);
  expect(readdirSync(folder).filter((name) => name.startsWith('shared.state'))).toEqual(['shared.state']);
});

test('5,000 lines of more than 3.3 KB are imported', async () => {
  const log = newLog();
  const long = (n: number) => `${line(n).slice(0, -2)}${'x'.repeat(3_400)}"\n`;
  log.write(Array.from({ length: 5_001 }, (_, n) => long(n)).join(''));
  expect(await log.run()).toMatchObject({ lines: 5_001, accepted: 5_001, rejects: [] });
  expect(await log.counted()).toEqual(numbers(5_001));
});

test('a record without a time is rejected, and not for being old; what the server rejects is named by its line', async () => {
  const log = newLog();
  const time = '2026-11-01T10:00:00Z';
  const entries = [
    { path: '/0', timestamp: time, status: 200 },
    { path: '/1', status: 200 },
    'no entry',
    { path: '/3', timestamp: '2999-01-01T00:00:00Z', status: 200 },
  ];
  log.write(entries.map((entry) => `${JSON.stringify(entry)}\n`).join(''));
  const summary = await log.run(log.path, { format: formatByName('keytally')! });
  expect(summary).toMatchObject({ lines: 4, accepted: 1, olderThanSince: 0 });
  expect(summary.rejects).toContainEqual(['has no time', { count: 1, firstLine: 2 }]);
  expect(summary.rejects).toContainEqual([expect.stringMatching(/^timestamp .* future$/), { count: 1, firstLine: 4 }]);
  expect(await log.counted()).toEqual([0]);
});
