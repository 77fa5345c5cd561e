import { expect, test } from 'vitest';
import { knownAfter } from '../../../../workers/alerts/evaluation/event-store.ts';
import { noFacts } from '../../../../workers/alerts/evaluation/key-facts.ts';
import { limitEvent } from '../../../../workers/alerts/limits/limit-step.ts';
import { effectiveOf } from '../../../../workers/alerts/rules/rule.ts';

const DAY_MS = 86_400_000;
const MIDNIGHT = Date.parse('2026-11-21T00:00:00Z');
const RULE = effectiveOf('near_limit', undefined);
const KEY = noFacts('k');
const HIGHER_STEPS = { ...RULE, settings: { ...RULE.settings, steps_percent: [150, 200] } };

type Arguments = Parameters<typeof limitEvent>;
const useOf = (period: 'day' | 'minute', used: number, limit = 1_000, windowStartMs = MIDNIGHT): Arguments[1] => ({
  period,
  used,
  limit,
  windowStartMs,
  windowEndMs: windowStartMs + (period === 'day' ? DAY_MS : 60_000),
  nowMs: windowStartMs + 43_200_000,
});
const context = { recordedAt: '', silencedUntilMs: undefined, isLate: false };

test.each<[ended: string, what: string, use: Arguments[1], facts: Arguments[2], rule: Arguments[3]]>([
  ['inactive', 'the key is off', useOf('day', 1_000), { ...KEY, isActive: false }, RULE],
  ['rule_off', 'the rule is off', useOf('day', 1_000), KEY, { ...RULE, enabled: false }],
  ['rule_off', 'of other periods', useOf('day', 1_000), KEY, { ...RULE, settings: { ...RULE.settings, periods: [] } }],
  ['rule_off', 'its steps went up, its use did not go down', useOf('day', 1_000), KEY, HIGHER_STEPS],
  ['rule_off', 'as much in the next minute', useOf('minute', 1_000, 1_000, MIDNIGHT + 60_000), KEY, HIGHER_STEPS],
  ['no_limit', 'the plan is gone', useOf('day', 1_000, 0), KEY, RULE],
  ['window_over', 'the next day is near its limit', useOf('day', 850, 1_000, MIDNIGHT + DAY_MS), KEY, RULE],
  ['window_over', 'the next day begins', useOf('day', 3, 1_000, MIDNIGHT + DAY_MS), KEY, RULE],
  ['recovered', 'the limit was raised', useOf('day', 1_000, 5_000), KEY, RULE],
  ['recovered', 'steps and limit were raised', useOf('day', 1_000, 5_000), KEY, HIGHER_STEPS],
  ['recovered', 'a calmer minute', useOf('minute', 10, 1_000, MIDNIGHT + 60_000), KEY, RULE],
])('the alert about a limit is over, %s: %s', (ended, _, use, facts, rule) => {
  const opened = limitEvent(undefined, useOf(use.period as 'day', 1_000), KEY, RULE, context);
  expect(opened).toMatchObject({ transition: 'opened', evidence: { limit: { stepPercent: 100 } } });
  const later = { ...use, nowMs: use.nowMs + 120_000 };
  const end = limitEvent(knownAfter(opened!), later, facts, rule, context)!;
  expect(end).toMatchObject({ transition: 'resolved', evidence: { ended, limit: { stepPercent: 0 } } });
  expect(end.evidence.summary.startsWith('Below its')).toBe(ended === 'recovered');
});
