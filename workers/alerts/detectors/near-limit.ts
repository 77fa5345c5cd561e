/**
 * How close is a key to its limit? Each step (80, 90, 100 %) is told once per window; after downtime only the highest step
 * reached. Raising the limit or a new window re-arms the steps. For day and month a straight line says when it would be full.
 */
export type LimitPeriod = 'burst' | 'minute' | 'day' | 'month';

export interface LimitUse {
  period: LimitPeriod;
  used: number;
  limit: number;
  windowStartMs: number;
  windowEndMs: number;
  /** Time of the counted state, not of the clock. */
  nowMs: number;
}

/** What was told last; plain JSON, kept per (key, period). */
export interface LimitMemory {
  windowStartMs: number;
  limit: number;
  highestStepPercent: number;
}

export interface LimitVerdict {
  next: LimitMemory;
  /** Step to tell of now, absent when nothing new was crossed. */
  stepPercent?: number;
  usedPercent: number;
  used: number;
  limit: number;
  /** When the limit would be reached at this pace; absent when not within the window or too early to say. */
  fullAtMs?: number;
}

const DEFAULT_STEPS_PERCENT: readonly number[] = [80, 90, 100];
const DAY_MS = 86_400_000;
/** Three days of a month, three hours of a day: less history makes a line through noise. */
const FORECAST_AFTER_MS: Record<LimitPeriod, number> = {
  burst: Number.POSITIVE_INFINITY,
  minute: Number.POSITIVE_INFINITY,
  day: DAY_MS / 8,
  month: 3 * DAY_MS,
};

export function judgeNearLimit(
  previous: LimitMemory | undefined,
  use: LimitUse,
  stepsPercent: readonly number[] = DEFAULT_STEPS_PERCENT,
): LimitVerdict {
  const usedPercent = use.limit > 0 ? (100 * use.used) / use.limit : 0;
  const rearmed = !previous || use.windowStartMs > previous.windowStartMs || use.limit > previous.limit;
  // A late count of an earlier window must not re-tell it.
  const late = previous !== undefined && use.windowStartMs < previous.windowStartMs;
  const told = rearmed ? 0 : previous.highestStepPercent;
  const reached = use.limit > 0 ? stepsPercent.filter((step) => usedPercent >= step) : [];
  const stepPercent = Math.max(0, ...reached);
  const fullAtMs = forecast(use);
  const shown = { usedPercent, used: use.used, limit: use.limit, ...(fullAtMs === undefined ? {} : { fullAtMs }) };
  if (late) return { next: previous, ...shown };
  const next = { windowStartMs: use.windowStartMs, limit: use.limit, highestStepPercent: Math.max(told, stepPercent) };
  return stepPercent > told ? { next, stepPercent, ...shown } : { next, ...shown };
}

/** When the limit would be reached at the pace of the window so far, epoch milliseconds; undefined = not in this window, or too early to say. */
export function forecast(use: LimitUse): number | undefined {
  const elapsedMs = use.nowMs - use.windowStartMs;
  if (elapsedMs < FORECAST_AFTER_MS[use.period] || use.used <= 0 || use.used >= use.limit) return undefined;
  const fullAtMs = use.windowStartMs + (elapsedMs * use.limit) / use.used;
  return fullAtMs <= use.windowEndMs ? Math.round(fullAtMs) : undefined;
}
