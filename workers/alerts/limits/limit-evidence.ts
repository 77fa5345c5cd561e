/** What an alert about a limit says: pure. */
import type { AlertEvidence } from '../alert.ts';
import type { LimitUse, LimitVerdict } from '../detectors/near-limit.ts';
import { clockText, countText } from '../evaluation/wording.ts';

export const isShort = (period: LimitUse['period']): boolean => period === 'minute' || period === 'burst';

/** An alert whose window is over stays open for so long: one that ends before its message left would not be told at all. */
export const TOLD_WITHIN_MS = 60_000;

const PERIODS: Record<LimitUse['period'], string> = {
  burst: 'limit per second (burst)',
  minute: 'limit per minute',
  day: 'daily limit',
  month: 'monthly limit',
};

/** @param stepPercent step that is reached; 0 = the alert is over */
export function limitEvidence(use: LimitUse, verdict: LimitVerdict, stepPercent: number): AlertEvidence {
  const { period, used, limit, nowMs, windowEndMs } = use;
  const percent = Math.floor(verdict.usedPercent);
  const name = PERIODS[period];
  const forecast =
    verdict.fullAtMs === undefined
      ? ''
      : ` At this pace it reaches the limit at about ${clockText(verdict.fullAtMs, nowMs)}.`;
  const until =
    windowEndMs < nowMs - TOLD_WITHIN_MS
      ? ` That was from ${clockText(use.windowStartMs, nowMs)}; the requests were counted late.`
      : isShort(period)
        ? ''
        : ` The count starts anew at ${clockText(windowEndMs, nowMs)}.`;
  const count = `${countText(used)} of ${countText(limit)} requests`;
  const over =
    used < limit ? `Below its ${name} again: ${count}.` : `The alert about its ${name} is over: ${count} now.`;
  const summary = stepPercent === 0 ? over : `${percent} % of its ${name} is used: ${count}.${forecast}${until}`;
  return {
    summary,
    value: verdict.usedPercent,
    expected: 100,
    unit: 'percent',
    limit: {
      period,
      used,
      limit,
      stepPercent,
      ...(verdict.fullAtMs !== undefined && { fullAt: new Date(verdict.fullAtMs).toISOString() }),
    },
  };
}
