/** A module to `--import`: runs in each thread of a process but its main one, and breaks it when there is a file `BREAK_FILE`. */
export const BREAK_THREADS = `data:text/javascript,
  import { existsSync } from 'node:fs';
  import { isMainThread } from 'node:worker_threads';
  if (!isMainThread) setInterval(() => {
    if (existsSync(process.env.BREAK_FILE)) throw new Error('broken on purpose');
  }, 50).unref();`;
