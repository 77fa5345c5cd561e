/** What an alert about a limit says: pure. */
import type { AlertEvidence } from '../alert.ts';
import type { LimitUse, LimitVerdict } from '../detectors/near-limit.ts';
import { type EndReason, endReasonInWords } from '../end-reason.ts';
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

/** @param told step that is reached, in percent, or why the alert is over */
export function limitEvidence(use: LimitUse, verdict: LimitVerdict, told: number | EndReason): AlertEvidence {
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
  const summary =
    typeof told === 'number'
      ? `${percent} % of its ${name} is used: ${count}.${forecast}${until}`
      : told === 'recovered' && used < limit
        ? `Below its ${name} again: ${count}.`
        : `The alert about its ${name} is over: ${endReasonInWords(told) ?? `${count} now`}.`;
  return {
    summary,
    value: verdict.usedPercent,
    expected: 100,
    unit: 'percent',
    limit: {
      period,
      used,
      limit,
      stepPercent: typeof told === 'number' ? told : 0,
      ...(verdict.fullAtMs !== undefined && { fullAt: new Date(verdict.fullAtMs).toISOString() }),
    },
    ...(typeof told !== 'number' && { ended: told }),
  };
}
