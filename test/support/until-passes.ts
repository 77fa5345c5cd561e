import { vi } from 'vitest';

/** Vitest's own patience of a second is less than a crowded machine may let a process stand still. */
const PATIENCE_MS = 60_000;
const LOOK_EVERY_MS = 30;

/** Waits until a check passes; its last failure is said when it does not. */
export const untilPasses = <T>(check: () => T | Promise<T>): Promise<T> =>
  vi.waitFor(check, { timeout: PATIENCE_MS, interval: LOOK_EVERY_MS });
