import { describe, expect, test } from 'vitest';
import { expiresByItself, nextWarning, type Policy, presentEpisode } from '../../../workers/keys/policy.ts';

const DAY_MS = 86_400_000;
const NOW = Date.parse('2026-11-20T12:00:00Z');

describe('warnings before a policy acts', () => {
  test.each<[string, number[], [days: number, daysAgo: number][], string]>([
    ['no warnings asked for', [], [], 'act'],
    ['first match', [7, 1], [], 'warn 7, acts in 7'],
    ['order does not matter', [1, 7], [], 'warn 7, acts in 7'],
    ['warned today', [7, 1], [[7, 0]], 'wait'],
    ['warned 5.9 days ago', [7, 1], [[7, 5.9]], 'wait'],
    ['warned 6 days ago', [7, 1], [[7, 6]], 'warn 1, acts in 1'],
    [
      'warned 6.5 and 0.5 days ago',
      [7, 1],
      [
        [7, 6.5],
        [1, 0.5],
      ],
      'wait',
    ],
    [
      'warned a week ago',
      [7, 1],
      [
        [7, 7],
        [1, 1],
      ],
      'act',
    ],
    ['second warning missed in a downtime', [7, 1], [[7, 8]], 'act'],
    ['only the second warning is known', [7, 1], [[1, 3]], 'warn 7, acts in 7'],
    ['middle step skipped', [14, 7, 3], [[14, 12]], 'warn 3, acts in 2'],
  ])('%s', (_name, warnDays, sent, expected) => {
    const warnedAt = new Map(sent.map(([days, ago]) => [days, NOW - ago * DAY_MS]));
    const step = nextWarning(warnDays, warnedAt, NOW);
    const shown =
      step.kind === 'warn' ? `warn ${step.days}, acts in ${Math.round((step.actsAtMs - NOW) / DAY_MS)}` : step.kind;
    expect(shown).toBe(expected);
  });
});

describe('which warnings count', () => {
  const ago = (days: number) => NOW - days * DAY_MS;
  const first = ago(300);
  const second = ago(100);
  test.each<[string, Record<string, [days: number, daysAgo: number][]>, episode: string, known: number[]]>([
    ['none yet', {}, '', []],
    ['the first of this match', { '': [[7, 3]] }, '', [7]],
    ['acted upon late', { '': [[7, 9.9]] }, '', [7]],
    [
      'those of a match that ended',
      {
        '': [
          [7, 300],
          [1, 294],
        ],
      },
      String(first),
      [],
    ],
    ['warned again', { '': [[7, 300]], [first]: [[7, 2]] }, String(first), [7]],
    ['ended twice', { '': [[7, 300]], [first]: [[7, 100]] }, String(second), []],
    ['only a later warning is known', { '': [[1, 300]] }, '', [1]],
    ['two that name each other', { '': [[7, 300]], [first]: [[7, 100]], [second]: [[7, 300]] }, String(second), [7]],
  ])('%s', (_name, given, episode, known) => {
    const episodes = Object.entries(given).map(
      ([name, sent]) => [name, new Map(sent.map(([days, daysAgo]) => [days, ago(daysAgo)]))] as const,
    );
    const present = presentEpisode([7, 1], new Map(episodes), NOW);
    expect([present.episode, [...present.warnedAtMs.keys()]]).toEqual([episode, known]);
  });
});

describe('which keys expire by themselves', () => {
  type Rule = Pick<Policy, 'kind' | 'enabled' | 'exempt_key_ids' | 'organization_id' | 'environment' | 'plan'>;
  const rule = (over: Partial<Rule>): Rule => ({
    kind: 'expired',
    enabled: true,
    exempt_key_ids: [],
    organization_id: '',
    environment: '',
    plan: '',
    ...over,
  });
  const off = (over: Partial<Rule> = {}) => rule({ enabled: false, ...over });
  const key = { key_id: 'k', organization_id: 'acme', environment: 'production', plan: 'pro' };
  test.each<[string, Rule[], boolean]>([
    ['no policy', [], true],
    ['off everywhere', [off()], false],
    ['off elsewhere', [off({ organization_id: 'rival' })], true],
    ['off for the organization', [off({ organization_id: 'acme' })], false],
    ['off everywhere, on for the organization', [off(), rule({ organization_id: 'acme' })], true],
    [
      'on for the organization, off for its plan',
      [rule({ organization_id: 'acme' }), off({ organization_id: 'acme', plan: 'pro' })],
      false,
    ],
    ['exempt', [rule({ exempt_key_ids: ['k'] })], false],
    ['equally specific', [rule({ plan: 'pro' }), off({ environment: 'production' })], false],
    ['another kind that is off', [off({ kind: 'unused' })], true],
  ])('%s', (_name, rules, expected) => {
    expect(expiresByItself(key, rules)).toBe(expected);
    expect(expiresByItself(key, [...rules].reverse())).toBe(expected);
  });
});
