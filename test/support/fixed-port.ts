import { closeSync, openSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Below the ports that systems give away for a moment: there any connection of another test could take one meanwhile. */
const FIRST = 10_240;
const COUNT = 20_000;
const TRIES = 200;

/**
 * A port of loopback for a server that is started later, or started again, under an address that stays. No other test of the
 * same run gets it: a file of its name in the run's folder (run-folder.ts) says that it is taken.
 */
export async function fixedPort(): Promise<number> {
  for (let attempt = 0; attempt < TRIES; attempt++) {
    const port = FIRST + Math.floor(Math.random() * COUNT);
    if (claim(port) && (await isFree(port))) return port;
  }
  throw new Error(`no free port in ${TRIES} tries`);
}

function claim(port: number): boolean {
  try {
    closeSync(openSync(join(tmpdir(), `keytally-port-${port}`), 'wx'));
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)));
  });
}
