/** Batches waited for this long without one being finished here: the consumer is wedged. */
export const STUCK_AFTER_MS = 45_000;

/** One look at a consumer. */
export interface ProgressSample {
  atMs: number;
  /** Batches that wait in Redis for any worker. */
  waiting: number;
  /** Batches this process has under way. */
  own: number;
  /** Batches this process finished since it started, whatever came of them. */
  finished: number;
}

/** What is remembered between two looks. */
export interface ProgressState {
  finished: number;
  /** Since when there has been work and none of it was finished; undefined while there is none. */
  idleSinceMs: number | undefined;
}

export const NO_PROGRESS_YET: ProgressState = { finished: 0, idleSinceMs: undefined };

/**
 * A consumer makes progress when it finishes a batch, or when there is nothing for it to do at the moment of a look.
 * That others finish batches does not count: what waits all the time is not taken by this one.
 */
export function observe(state: ProgressState, sample: ProgressSample): ProgressState {
  const { atMs, waiting, own, finished } = sample;
  const nothingToDo = waiting === 0 && own === 0;
  if (nothingToDo || finished !== state.finished) return { finished, idleSinceMs: nothingToDo ? undefined : atMs };
  return { finished, idleSinceMs: state.idleSinceMs ?? atMs };
}

/** Whether the consumer is wedged, in words; undefined when it is well. */
export function wedged(state: ProgressState, nowMs: number): string | undefined {
  if (state.idleSinceMs === undefined || nowMs - state.idleSinceMs < STUCK_AFTER_MS) return undefined;
  return `batches wait and none was finished here for ${Math.round((nowMs - state.idleSinceMs) / 1000)} s`;
}
