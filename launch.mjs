#!/usr/bin/env node
// Starts Keytally from a fresh clone with nothing but Node and npm: installs the packages and builds when needed, then
// runs the command. Plain JavaScript without packages, because it runs before either exists.
//
//   node launch.mjs start|demo|test|bench|chaos|fuzz|licences|backtest|build|<any keytally command> [arguments]
import { spawn, spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const PARENT = process.ppid;
const ROOT = dirname(fileURLToPath(import.meta.url));
const NODE_FLOOR = [20, 19];
/** As the program's own first line has it, for `npx keytally`. */
const NODE_FLAGS = ['--max-semi-space-size=64'];
/** Why: see main.ts. Read by Node before the first line of a program. */
const POOL_THREADS = '12';
/** A second signal within this time is an echo: the terminal signals the whole group and npm passes it on as well. */
const ECHO_MS = 1_000;
const ORPHAN_CHECK_MS = 200;

const say = (line) => console.error(`keytally: ${line}`);
const at = (...parts) => join(ROOT, ...parts);

/** Ends the launcher with one line instead of a stack. */
class Stop extends Error {}

function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > NODE_FLOOR[0] || (major === NODE_FLOOR[0] && minor >= NODE_FLOOR[1])) return;
  throw new Stop(`needs Node ${NODE_FLOOR.join('.')} or newer, this is ${process.versions.node}`);
}

// ---- packages

function installPackages() {
  if (!packagesAreStale()) return;
  say('installing packages (npm ci; the embedded ClickHouse among them is large, this can take minutes)');
  const exact = npm('ci');
  if (exact.status === 0) return;
  if (!/EUSAGE/.test(exact.stderr)) throw new Stop(`npm ci failed\n${exact.stderr}`);
  // npm ci also wants the packages of every other platform in the lock file, which a registry mirror may not have.
  // npm install keeps the locked versions and adds what this platform lacks; --no-save leaves the lock file alone.
  say('the lock file does not list every platform: npm install instead, with the versions it does list');
  const lenient = npm('install', '--no-save');
  if (lenient.status !== 0) throw new Stop(`npm install failed\n${lenient.stderr}`);
}

function npm(...command) {
  const options = ['--no-audit', '--no-fund', '--include=dev', '--include=optional'];
  const stdio = ['ignore', 'inherit', 'pipe'];
  const result = spawnSync('npm', [...command, ...options], { cwd: ROOT, stdio, encoding: 'utf8', maxBuffer: 2 ** 28 });
  if (result.error) throw new Stop(`npm did not start: ${result.error.message}`);
  return result;
}

function packagesAreStale() {
  const installed = at('node_modules', '.package-lock.json');
  if (!existsSync(installed)) return true;
  if (mtime(at('package-lock.json')) <= mtime(installed)) return false;
  // npm install and git write the lock file last without changing what it says.
  if (!sameVersions(readJson(at('package-lock.json')).packages, readJson(installed).packages)) return true;
  utimesSync(installed, new Date(), new Date());
  return false;
}

function sameVersions(wanted, installed) {
  return Object.entries(wanted).every(([path, { version, optional, devOptional, peer }]) => {
    if (path === '') return true;
    if (installed[path] === undefined) return Boolean(optional || devOptional || peer);
    return installed[path].version === version;
  });
}

// ---- build

const PARTS = [
  {
    name: 'server',
    // The benchmarks are compiled with the parts, and share the tests' support files.
    sources: [...readJson(at('tsconfig.json')).include, 'test/support', 'test/ingest/formats/samples', 'tsconfig.json'],
    exists: () => true,
    command: ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.json'],
  },
  {
    name: 'dashboards',
    // The console shows the guides of the gateways as well.
    sources: ['dashboards', 'docs/gateways'],
    exists: () => existsSync(at('dashboards', 'index.html')),
    command: ['node_modules/vite/bin/vite.js', 'build', 'dashboards', '--logLevel', 'warn'],
  },
];

function build(force) {
  for (const part of PARTS) {
    if (!part.exists()) continue;
    const stamp = at('dist', `.${part.name}-built`);
    const newest = Math.max(mtime(at('package-lock.json')), ...part.sources.map((source) => newestIn(at(source))));
    if (!force && mtime(stamp) > newest) continue;
    const began = new Date();
    say(`building the ${part.name}`);
    const result = spawnSync(process.execPath, part.command, { cwd: ROOT, stdio: ['ignore', 'inherit', 'inherit'] });
    if (result.status !== 0) throw new Stop(`building the ${part.name} failed, see above`);
    // The stamp carries the time the build began: what was changed during the build is newer.
    mkdirSync(at('dist'), { recursive: true });
    writeFileSync(stamp, '');
    utimesSync(stamp, began, began);
  }
}

/** Folders count too: their time tells that a file was removed. */
function newestIn(path) {
  const own = mtime(path);
  if (own === 0 || !statSync(path).isDirectory()) return own;
  const inside = readdirSync(path).filter((name) => name !== 'node_modules' && name !== 'dist');
  return Math.max(own, ...inside.map((name) => newestIn(join(path, name))));
}

function mtime(path) {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

function readJson(path) {
  return JSON.parse(readFileSync(path, 'utf8'));
}

// ---- running

/**
 * Runs a program in its own process group with our terminal, and passes each signal on once. Without the group Ctrl-C
 * would reach it from the terminal, from npm and from here, and the second one means "at once" to it.
 */
function runToEnd(args, env = process.env) {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, args, {
      stdio: 'inherit',
      detached: true,
      env: { UV_THREADPOOL_SIZE: POOL_THREADS, ...env },
    });
    let last = Number.NEGATIVE_INFINITY;
    const pass = (signal) => {
      if (performance.now() - last < ECHO_MS) return;
      last = performance.now();
      child.kill(signal);
    };
    process.on('SIGINT', pass);
    process.on('SIGTERM', pass);
    // A closed terminal asks for an orderly end, too.
    process.on('SIGHUP', () => pass('SIGTERM'));
    // npm signals only the shell it put between us, which dies without passing it on.
    const watch = setInterval(() => {
      if (process.ppid === PARENT) return;
      clearInterval(watch);
      if (last === Number.NEGATIVE_INFINITY) pass('SIGTERM');
    }, ORPHAN_CHECK_MS).unref();
    if (!process.env.npm_lifecycle_event) clearInterval(watch);
    child.once('error', (error) => {
      say(error.message);
      resolve(127);
    });
    child.once('exit', (code, signal) => resolve(signal ? 128 + constants.signals[signal] : code));
  });
}

async function runCommand(args) {
  // Benchmarks, chaos runs, fuzzing and the list of licences are no part of the program: they are compiled beside it.
  const [command, ...rest] = args;
  const beside = ['bench', 'chaos', 'fuzz', 'licences'].includes(command);
  const program = beside ? at('dist', 'test', command, `${command}.js`) : at('dist', 'main.js');
  if (!existsSync(program)) throw new Stop(`${program} is missing after the build`);
  return runToEnd([...NODE_FLAGS, program, ...(beside ? rest : args)]);
}

// ---- tests

async function runTests(args) {
  const compiled = (name) => import(pathToFileURL(at('dist', 'ingest', name)).href);
  const { ensureRedisServer } = await compiled('redis-install.js');
  await ensureRedisServer(say);
  const chromium = await findChromium(await compiled('system-package.js'));
  const folder = mkdtempSync(join(tmpdir(), 'keytally-test-'));
  const report = join(folder, 'report.json');
  try {
    const vitest = [at('node_modules/vitest/vitest.mjs'), 'run', '--root', ROOT, ...args];
    const reporters = ['--reporter=default', '--reporter=json', `--outputFile=${report}`];
    const code = await runToEnd([...vitest, ...reporters], { ...process.env, CHROMIUM_PATH: chromium });
    return summarize(report, code);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The first is Chromium without windows: the same pages for less processor time. */
const BROWSERS = [
  'chromium-headless-shell',
  ...['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'chrome'],
];
/** Debian has both; where there is no such package, there may be the other. */
const BROWSER_PACKAGES = ['chromium-headless-shell', 'chromium'];
const MAC_BROWSERS = ['Google Chrome', 'Chromium', 'Microsoft Edge'].map(
  (name) => `/Applications/${name}.app/Contents/MacOS/${name}`,
);

async function findChromium({ findProgram, installSystemPackage }) {
  if (process.env.CHROMIUM_PATH) return process.env.CHROMIUM_PATH;
  const find = () => findProgram(BROWSERS) ?? MAC_BROWSERS.find((path) => existsSync(path)) ?? '';
  let reason = '';
  for (const apt of BROWSER_PACKAGES) {
    const present = find();
    if (present) return present;
    reason = await installSystemPackage({ apt }, say);
  }
  const installed = find();
  if (!installed)
    say(`!!! BROWSER TESTS ARE SKIPPED: no Chromium here (${reason}); set CHROMIUM_PATH to have them run`);
  return installed;
}

/** Prints the last line and returns the exit code. A run that tested nothing has not passed. */
function summarize(path, code) {
  const report = existsSync(path) ? readJson(path) : { testResults: [] };
  const tests = report.testResults.flatMap((file) => file.assertionResults);
  const count = (...states) => tests.filter(({ status }) => states.includes(status)).length;
  // A file that fails outside its tests (an import, a hook) has no failed test of its own.
  const broken = report.testResults.filter(
    (file) => file.status === 'failed' && !file.assertionResults.some(({ status }) => status === 'failed'),
  );
  for (const file of broken) say(`${file.name} failed outside its tests`);
  const passed = count('passed');
  const skipped = count('skipped', 'pending', 'todo', 'disabled');
  let failed = count('failed') + broken.length;
  if (code !== 0 && failed === 0 && passed > 0) {
    say(`vitest ended with ${code} although no test failed: an error outside the tests, see above`);
    failed = 1;
  }
  if (passed + failed === 0) say('no test ran, which counts as a failure');
  console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);
  return failed > 0 || passed === 0 || code !== 0 ? 1 : 0;
}

async function main([command, ...args]) {
  checkNode();
  installPackages();
  build(command === 'build');
  if (command === 'build') return 0;
  if (command === 'test') return runTests(args);
  return runCommand(command === undefined ? [] : [command, ...args]);
}

main(process.argv.slice(2)).then(
  (code) => (process.exitCode = code),
  (error) => {
    say(error instanceof Stop ? error.message : (error?.message ?? error));
    process.exitCode = 1;
  },
);
