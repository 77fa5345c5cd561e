import { setTimeout as sleep } from 'node:timers/promises';
import type { Fault } from './schedule.ts';
import type { ChaosSystem } from './system.ts';

/** What was done so far, and what is still going on. */
export interface Injection {
  /** Processes that a kill -9 really ended. */
  kills: number;
  faults: Record<string, number>;
  running: Promise<void>[];
}

const ALIVE_POLL_MS = 50;
/** A process that was just killed is given this long to be there again before the next kill. */
const ALIVE_PATIENCE_MS = 5_000;

/** Does one fault. Those that last go on beside what follows; each heals by itself. */
export async function inject(system: ChaosSystem, fault: Fault, injection: Injection): Promise<void> {
  injection.faults[fault.kind] = (injection.faults[fault.kind] ?? 0) + 1;
  if (fault.kind === 'kill') {
    await kill(system, [fault.target], fault.awayMs, injection);
  } else if (fault.kind === 'kill_workers') {
    await kill(system, ['worker-0', 'worker-1'], fault.awayMs, injection);
  } else {
    injection.running.push(lasting(system, fault));
  }
}

async function kill(
  system: ChaosSystem,
  names: (keyof ChaosSystem['parts'])[],
  awayMs: number,
  injection: Injection,
): Promise<void> {
  for (const name of names) {
    for (let waited = 0; waited < ALIVE_PATIENCE_MS; waited += ALIVE_POLL_MS) {
      if (system.parts[name].kill(awayMs)) {
        injection.kills++;
        break;
      }
      await sleep(ALIVE_POLL_MS);
    }
  }
}

type Lasting = Exclude<Fault, { kind: 'kill' | 'kill_workers' }>;

async function lasting(system: ChaosSystem, fault: Lasting): Promise<void> {
  await begin(system, fault);
  await sleep(fault.forMs);
  await heal(system, fault);
}

async function begin(system: ChaosSystem, fault: Lasting): Promise<void> {
  switch (fault.kind) {
    case 'stop':
      return system.parts[fault.target].signal('SIGSTOP');
    case 'store_down':
      return system.proxy.set({ kind: 'down' });
    case 'store_slow':
      return system.proxy.set({ kind: 'slow', delayMs: fault.delayMs });
    case 'cut_after_commit':
      return system.proxy.set({ kind: 'cut_after', inserts: fault.inserts });
    case 'cut_before':
      return system.proxy.set({ kind: 'cut_before', inserts: fault.inserts });
    case 'redis_full':
      return system.redisFull(true).catch(() => undefined);
    case 'disk_full':
      return system.diskFull(true);
    case 'clock_step':
      return system.setClock(fault.target, fault.stepMs);
  }
}

async function heal(system: ChaosSystem, fault: Lasting): Promise<void> {
  switch (fault.kind) {
    case 'stop':
      return system.parts[fault.target].signal('SIGCONT');
    case 'redis_full':
      return untilDone(() => system.redisFull(false));
    case 'disk_full':
      return system.diskFull(false);
    case 'clock_step':
      return system.setClock(fault.target, 0);
    case 'cut_after_commit':
    case 'cut_before':
      // Until they are used up: each hits an insert, however long none comes.
      return;
    default:
      return system.proxy.set({ kind: 'pass' });
  }
}

/** Redis may be killed or stopped at that moment; a restart brings the limit back by itself. */
async function untilDone(act: () => Promise<void>): Promise<void> {
  for (let attempt = 0; attempt < 100; attempt++) {
    if (
      await act().then(
        () => true,
        () => false,
      )
    )
      return;
    await sleep(200);
  }
}
