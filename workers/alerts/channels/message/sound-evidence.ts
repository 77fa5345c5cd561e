import type { AlertEvidence, EvidenceChart } from '../../alert.ts';
import type { AlertNotice } from '../channel.ts';

/**
 * The notice without figures that are none. Evidence is stored as JSON, where NaN and infinity become null, and rows of an older
 * version may lack fields: a sentence is then made without the figure instead of with a hole.
 */
export function soundNotice(notice: AlertNotice): AlertNotice {
  return { ...notice, event: { ...notice.event, evidence: soundEvidence(notice.event.evidence) } };
}

function soundEvidence(evidence: AlertEvidence): AlertEvidence {
  const { value, expected, windowMinutes, statistic, limit, fleet, chart, contributions, ...rest } = evidence;
  return {
    ...rest,
    ...(isFigure(value) ? { value } : {}),
    ...(isFigure(expected) ? { expected } : {}),
    ...(isFigure(windowMinutes) && windowMinutes >= 0 ? { windowMinutes } : {}),
    ...(statistic && areFigures(statistic.value, statistic.threshold) ? { statistic } : {}),
    ...(limit && areFigures(limit.used, limit.limit) ? { limit } : {}),
    ...(fleet && areFigures(fleet.firingKeys, fleet.activeKeys) ? { fleet } : {}),
    ...(chart && isFigure(chart.bucketMinutes) ? { chart: soundChart(chart) } : {}),
    ...(contributions ? { contributions: contributions.filter(({ share }) => isFigure(share)).map(soundShares) } : {}),
  };
}

function soundChart(chart: EvidenceChart): EvidenceChart {
  return {
    ...chart,
    values: chart.values.map((value) => (isFigure(value) && value > 0 ? value : 0)),
    expected: chart.expected.map((value) => (isFigure(value) ? value : null)),
  };
}

function soundShares(contribution: NonNullable<AlertEvidence['contributions']>[number]) {
  const { usualShare } = contribution;
  return { ...contribution, usualShare: isFigure(usualShare) ? usualShare : null };
}

/** No measurement is larger; beyond it numbers have no words. */
const MAX_FIGURE = 1e15;
const isFigure = (value: unknown): value is number => typeof value === 'number' && Math.abs(value) <= MAX_FIGURE;
const areFigures = (...values: readonly unknown[]): boolean => values.every(isFigure);
