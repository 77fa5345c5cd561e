import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { packageRoot } from '../../ingest/package-root.ts';
import { wholeBatch, writeDeadLetters } from '../../workers/dead-letter.ts';
import { ADMIN_TOKEN, startStack } from '../support/stack.ts';
import { tempFolder } from '../support/temp-folder.ts';

/** Runs `keytally` as a process of its own. */
async function run(args: string[], env: Record<string, string>) {
  const child = spawn(process.execPath, ['dist/main.js', ...args], {
    cwd: packageRoot(),
    env: { PATH: process.env.PATH, HOME: tempFolder(), KEYTALLY_TOKEN: ADMIN_TOKEN, ...env },
  });
  let [out, err] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => (out += chunk));
  child.stderr.on('data', (chunk: Buffer) => (err += chunk));
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { code, out, err };
}

test('dead letters from a terminal; then a backup of the stopped system, and a restore', async () => {
  const stack = await startStack();
  await stack.send([{ key_id: 'saved', status: 200 }]);
  await stack.untilCounted(1);
  const job = { rows: 3, claims: [], receivedAtMs: Date.now(), payload: 'AA==' };
  await writeDeadLetters(stack.store, [
    wholeBatch('letter-1', job, 'gave up after 10 attempts: \u001b[2Jsome reason'),
    wholeBatch('letter-2', job, 'another reason'),
  ]);
  const letters = (...args: string[]) => run(['dead-letters', ...args, '--url', stack.url], {});
  const list = await letters('list');
  expect(list).toMatchObject({ code: 0, out: expect.stringMatching(/ID.*AGE.*ROWS.*REASON/) });
  expect(list.out).toContain('some reason');
  expect(list.out).not.toContain('\u001b');
  expect(JSON.parse((await letters('list', '--json')).out).data.length).toBe(2);
  expect(await letters('drop', 'letter-1')).toMatchObject({ code: 0, out: expect.stringContaining('3 rows dropped') });
  expect(await letters('drop', 'letter-1')).toMatchObject({ code: 1, err: expect.stringContaining('dropped already') });
  expect(await letters('replay')).toMatchObject({ code: 1, err: expect.stringContaining('--all') });
  expect(await letters('replay', '--all')).toMatchObject({ code: 0, out: expect.stringContaining('letter-2') });
  const dataDir = stack.config.KEYTALLY_DATA_DIR;
  const folder = join(tempFolder(), 'saved');
  const busy = await run(['backup', folder], { KEYTALLY_DATA_DIR: dataDir });
  expect(busy).toMatchObject({ code: 1, err: expect.stringMatching(/^data folder .* is in use by process \d+\n$/) });
  await stack.stop();
  const saved = await run(['backup', folder], { KEYTALLY_DATA_DIR: dataDir });
  expect(saved).toMatchObject({ code: 0, out: expect.stringMatching(/rows of \d+ tables \(schema \d+\) are in/) });
  const target = { KEYTALLY_DATA_DIR: tempFolder() };
  expect(await run(['restore', folder], target)).toMatchObject({ code: 0, out: expect.stringContaining('are back') });
  const again = await run(['restore', folder], target);
  expect(again).toMatchObject({ code: 1, err: expect.stringMatching(/^the store is not empty: .*\n$/) });
  expect(await run(['restore', '/nowhere'], target)).toMatchObject({
    code: 1,
    err: expect.stringContaining('no whole backup'),
  });
}, 180_000);
