import { formatBytes, formatCount, formatMilliseconds } from '../format/number.ts';
import type { SystemHealth } from '../http/contract/system.ts';

/** Beyond these the page colours the lag: usage is promised within seconds. */
const LATE_MS = 10_000;
const VERY_LATE_MS = 60_000;

export function lagTone(lagMs: number): string {
  if (lagMs >= VERY_LATE_MS) return 'bad';
  return lagMs >= LATE_MS ? 'warn' : '';
}

export function memoryTone(share: number | null, refusesAbove: number): string {
  if (share === null) return '';
  if (share >= refusesAbove) return 'bad';
  return share >= refusesAbove * 0.8 ? 'warn' : '';
}

/** The state of the pipeline and what to do about it, in one or two sentences. */
export function pipelineSentence({ pipeline, redis }: Pick<SystemHealth, 'pipeline' | 'redis'>): string {
  const { used_memory_bytes: used, used_ratio: ratio, refuses_above_ratio: above } = redis;
  if (ratio >= above) {
    return `Redis is nearly full (${formatBytes(used)}): new records are refused until workers have caught up. Add workers or memory.`;
  }
  if (pipeline.paused) {
    return 'The workers wait for the store, which does not answer. Records are safe in Redis; nothing is lost.';
  }
  if (pipeline.lag_ms >= VERY_LATE_MS) {
    return `Counting is ${formatMilliseconds(pipeline.lag_ms)} behind. Is a worker running? More of them catch up faster.`;
  }
  if (pipeline.failed_batches > 0 || pipeline.waiting_dead_letters > 0) {
    const left = pipeline.failed_batches + pipeline.waiting_dead_letters;
    const what = left === 1 ? 'batch or dead letter' : 'batches or dead letters';
    return `Records are counted in time, but ${formatCount(left)} ${what} could not be: see background jobs for the reasons.`;
  }
  return 'All is well: records are counted as they arrive.';
}
