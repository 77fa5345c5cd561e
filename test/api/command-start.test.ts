import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { packageRoot } from '../../ingest/package-root.ts';

const dataUrl = (program: string) => `data:text/javascript,${encodeURIComponent(program)}`;
/** Writes the address of every module that the program loads to standard error. */
const HOOK = dataUrl(`export async function resolve(specifier, context, next) {
  const resolved = await next(specifier, context);
  process._rawDebug('loads ' + resolved.url);
  return resolved;
}`);
const TELL_MODULES = dataUrl(`import { register } from 'node:module'; register(${JSON.stringify(HOOK)});`);

const packages = (args: string[]) => {
  const { stderr } = spawnSync(process.execPath, ['--import', TELL_MODULES, 'dist/main.js', ...args], {
    cwd: packageRoot(),
    env: { PATH: process.env.PATH, KEYTALLY_TOKEN: 'kt_none', PORT: 'none' },
    encoding: 'utf8',
    timeout: 60_000,
  });
  const loaded = [...stderr.matchAll(/^loads .*\/node_modules\/((?:@[^/]+\/)?[^/]+)\//gm)];
  return new Set(loaded.map(([, name]) => name));
};

test.each([
  [['--help']],
  [['keys', 'list', '--url', 'http://127.0.0.1:9']],
  [['usage', 'key_1', '--url', 'http://127.0.0.1:9']],
  [['alerts', 'list', '--url', 'http://127.0.0.1:9']],
  [['doctor', '--url', 'http://127.0.0.1:9']],
  [['backup', '--help']],
])('a command that does not run parts loads nothing of them: %j', (args) => {
  expect([...packages(args)]).toEqual(['commander']);
});

test('one that does loads them, so that the first test can tell', () => {
  expect([...packages(['ingest'])]).toEqual(expect.arrayContaining(['commander', 'express', 'ioredis', 'zod']));
});
