import { parseConfig } from '../ingest/config.ts';
import { letHeapGrow } from '../ingest/heap-growth.ts';
import { createLogger } from '../ingest/logger.ts';
import { type PartName, type Running, startParts } from './parts.ts';
import { StartStopped } from './undo-stack.ts';

/** Time for everything to stop in order; after it the process ends anyway, and says so. */
const STOP_TIMEOUT_MS = 30_000;

/** Runs parts until a signal, then stops them in order. */
export async function runParts(
  parts: readonly PartName[],
  afterStart?: (running: Running) => Promise<void> | void,
): Promise<void> {
  // An api holds lists of keys in memory.
  if (!parts.includes('api')) letHeapGrow();
  const config = parseConfig(process.env);
  const log = createLogger(config, parts.length === 1 ? parts[0]! : 'keytally');
  let running: Running | undefined;
  const starting = new AbortController();
  let stopping = false;
  const stop = async (reason: string, code: number) => {
    if (stopping) return;
    stopping = true;
    log.info({ reason }, 'stopping');
    setTimeout(() => {
      log.fatal('did not stop in time; what was not finished is still in the queue');
      process.exit(1);
    }, STOP_TIMEOUT_MS).unref();
    if (!running) return starting.abort(code);
    await running.stop();
    process.exit(code);
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => void stop(signal, 0));
  const onCrash = (error: unknown) => {
    log.fatal({ err: error }, 'cannot go on');
    void stop('crash', 1);
  };
  try {
    running = await startParts(parts, config, log, onCrash, starting.signal);
  } catch (error) {
    if (error instanceof StartStopped) process.exit(starting.signal.reason as number);
    throw error;
  }
  await afterStart?.(running);
}

/** Tells the person who started everything in one process where it is. */
export function announce(running: Running): void {
  process.stdout.write(`\nKeytally is at ${running.url}\n`);
  tellFirstToken(running);
  process.stdout.write('Stop with Ctrl-C.\n\n');
}

/** Prints the token of the first administrator, when this start made it: it is nowhere else. */
export function tellFirstToken({ firstToken }: Running): void {
  if (firstToken) process.stdout.write(`Administrator token, shown only now: ${firstToken}\n`);
}
