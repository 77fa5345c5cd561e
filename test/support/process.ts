import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { packageRoot } from '../../ingest/package-root.ts';

/** A part of Keytally as its own process, from the compiled program. */
export interface PartProcess {
  child: ChildProcess;
  url: string;
  exited: Promise<number | null>;
  /** Everything it logged so far. */
  log(): string;
  kill(signal: NodeJS.Signals): Promise<void>;
}

/** With a million keys on a crowded machine a start takes most of a minute. */
const START_TIMEOUT_MS = 120_000;

/** Starts `keytally <command>` and waits until it says that it is ready. */
export async function startPart(
  command: string,
  env: Record<string, string>,
  nodeFlags: string[] = [],
): Promise<PartProcess> {
  const child = spawn(process.execPath, ['--max-semi-space-size=64', ...nodeFlags, 'dist/main.js', command], {
    cwd: packageRoot(),
    env: {
      UV_THREADPOOL_SIZE: '12',
      PATH: process.env.PATH,
      HOME: process.env.HOME,
      PORT: '0',
      LOG_LEVEL: 'info',
      ...env,
    },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const endWithParent = () => child.kill('SIGKILL');
  process.once('exit', endWithParent);
  child.once('exit', () => process.off('exit', endWithParent));
  const exited = new Promise<number | null>((resolve) => child.once('exit', resolve));
  let log = '';
  child.stderr!.on('data', (chunk: Buffer) => (log += chunk));
  const url = await readyUrl(child, exited);
  return {
    child,
    url,
    exited,
    log: () => log,
    kill: async (signal) => {
      child.kill(signal);
      await exited;
    },
  };
}

function readyUrl(child: ChildProcess, exited: Promise<number | null>): Promise<string> {
  const seen: string[] = [];
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`not ready in time: ${seen.join('\n')}`)), START_TIMEOUT_MS);
    createInterface({ input: child.stderr! }).on('line', (line) => {
      if (seen.length < 50) seen.push(line);
      if (!line.includes('"msg":"ready"')) return;
      clearTimeout(timer);
      resolve((JSON.parse(line) as { url: string }).url);
    });
    void exited.then((code) => {
      clearTimeout(timer);
      reject(new Error(`ended with ${code} before it was ready: ${seen.join('\n')}`));
    });
  });
}
