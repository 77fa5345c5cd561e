import { createBullBoard } from '@bull-board/api';
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import { ExpressAdapter } from '@bull-board/express';
import type { Express } from 'express';
import type { JobQueue } from './job-queues.ts';

/** A batch is megabytes of packed columns: nothing a person could read. */
const MAX_SHOWN_CHARACTERS = 2_000;

/** The pages of bull-board on these queues, served at `path`, for reading only. */
export function bullBoard(queues: readonly JobQueue[], path: string): Express {
  const adapter = new ExpressAdapter();
  adapter.setBasePath(path);
  createBullBoard({
    queues: queues.map(({ name, holds, queue }) => {
      const shown = new BullMQAdapter(queue, {
        readOnlyMode: true,
        allowRetries: false,
        displayName: name,
        description: holds,
      });
      shown.setFormatter('data', shortened);
      return shown;
    }),
    serverAdapter: adapter,
    options: { uiConfig: { boardTitle: 'Keytally', hideDocsLink: true, pollingInterval: { forceInterval: 10 } } },
  });
  const board = adapter.getRouter() as Express;
  board.disable('x-powered-by');
  return board;
}

function shortened(data: unknown): unknown {
  if (typeof data !== 'object' || data === null) return data;
  return Object.fromEntries(
    Object.entries(data).map(([name, value]) => [
      name,
      typeof value === 'string' && value.length > MAX_SHOWN_CHARACTERS ? `${value.length} characters` : value,
    ]),
  );
}
