import { parentPort } from 'node:worker_threads';
import { type FromThread, failureOf, type ToThread } from './thread-messages.ts';

/** An answer, and memory in it that changes hands instead of being copied. */
export interface Answered {
  answer: unknown;
  transfer?: ArrayBuffer[];
}

export interface Service<Ask> {
  /** What the thread tells of itself. */
  about?: unknown;
  answer(ask: Ask): Promise<Answered>;
  /** Lets go of everything that keeps the thread alive. */
  close(): Promise<void>;
}

const port = parentPort!;
const tell = (message: FromThread, transfer: ArrayBuffer[] = []) => port.postMessage(message, transfer);

/** The other side of an asked thread (asked-thread.ts): starts, then answers side by side, as answers are ready. */
export async function serveThread<Ask>(start: () => Promise<Service<Ask>>): Promise<void> {
  try {
    serve(await start());
  } catch (error) {
    tell({ kind: 'cannot_start', failure: failureOf(error) });
    // Of this thread, whatever it has opened meanwhile.
    process.exit(1);
  }
}

function serve<Ask>({ about, answer, close }: Service<Ask>): void {
  const answerTo = async (id: number, ask: Ask) => {
    try {
      const answered = await answer(ask);
      tell({ kind: 'answer', id, answer: answered.answer }, answered.transfer);
    } catch (error) {
      tell({ kind: 'failed', id, failure: failureOf(error) });
    }
  };
  port.on('message', (message: ToThread<Ask>) => {
    if (message.kind === 'ask') void answerTo(message.id, message.ask);
    // Nothing else keeps the thread alive.
    else void close().then(() => port.close());
  });
  tell({ kind: 'ready', about });
}
