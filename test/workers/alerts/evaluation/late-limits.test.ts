import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { lookSpans } from '../../../../workers/alerts/limits/look-spans.ts';
import { type EvaluatedStack, startEvaluatedStack } from '../../../support/evaluated-stack.ts';
import type { Stack } from '../../../support/stack.ts';

const MINUTE_MS = 60_000;
const seconds = (time: string) => Date.parse(`2026-11-${time}Z`) / 1000;

describe('spans of one look', () => {
  const present = { from: seconds('21T12:03:00'), to: seconds('21T12:05:00') };
  const november = { month: seconds('01T00:00:00') };
  const saturday = { day: seconds('21T00:00:00'), ...november };
  test.each([
    ['nothing was counted', 0, []],
    ['only the present', seconds('21T12:04:01'), []],
    ['a backlog of minutes', seconds('21T11:52:31'), [{ from: seconds('21T11:52:00'), to: present.from, ...saturday }]],
    [
      'a backlog over midnight',
      seconds('20T23:59:59'),
      [
        { from: seconds('20T23:59:00'), to: saturday.day, day: seconds('20T00:00:00'), ...november },
        { from: saturday.day, to: present.from, ...saturday },
      ],
    ],
  ])('%s', (_, oldest, late) => {
    expect(lookSpans(oldest, seconds('21T12:04:05'))).toEqual([
      ...late.map((span) => ({ ...span, isLate: true })),
      { ...present, ...saturday, isLate: false },
    ]);
  });

  test('a backlog of weeks: its newest days, and the month before', () => {
    const spans = lookSpans(seconds('01T00:00:00') - 86_400, seconds('02T12:00:00'));
    expect(
      spans.map(({ day, month }) => [day, month].map((at) => new Date(at * 1000).toISOString().slice(0, 10))),
    ).toEqual([
      ['2026-10-31', '2026-10-01'],
      ['2026-11-01', '2026-11-01'],
      ['2026-11-02', '2026-11-01'],
      ['2026-11-02', '2026-11-01'],
    ]);
    expect(lookSpans(1, seconds('02T12:00:00'))).toHaveLength(4);
  });
});

describe('a backlog that is counted late', () => {
  let evaluated: EvaluatedStack;
  let stack: Stack;
  let look: EvaluatedStack['look'];
  let sent = 0;

  beforeAll(async () => {
    evaluated = await startEvaluatedStack();
    ({ stack, look } = evaluated);
  });
  afterAll(() => evaluated.stop());

  async function send(keyId: string, count: number, at: number): Promise<void> {
    await stack.send(Array.from({ length: count }, () => ({ key_id: keyId, path: '/', status: 200, timestamp: at })));
    await stack.untilCounted((sent += count));
  }
  async function events(keyId: string): Promise<{ brief: string; summary: string }[]> {
    const rows = await stack.store.query<Record<string, string>>(
      'SELECT scope, transition, notify, severity, evidence FROM alert_events FINAL WHERE key_id = {key_id:String} ORDER BY at, scope',
      { key_id: keyId },
    );
    return rows.map(({ scope, transition, notify, severity, evidence }) => ({
      brief: `${scope} ${transition} ${notify} ${severity}`,
      summary: (JSON.parse(evidence!) as { summary: string }).summary,
    }));
  }
  const briefs = async (keyId: string) => (await events(keyId)).map(({ brief }) => brief);

  test('each limit that was crossed meanwhile is told once, though the key has stopped', async () => {
    await stack.call('/v1/keys/behind', { method: 'PUT', body: { limits: { per_minute: 100, per_month: 1_000 } } });
    // All of one month: where it would begin or end meanwhile, the clock of this test is a quarter of an hour behind.
    const monthIn = (minutes: number) => new Date(Date.now() + minutes * MINUTE_MS).getUTCMonth();
    const behindMs = monthIn(-9) === monthIn(5) ? 0 : 15 * MINUTE_MS;
    const now = () => Date.now() - behindMs;
    await look(now());
    // One minute as a whole, whatever the second of this test.
    const then = Math.floor((now() - 5 * MINUTE_MS) / MINUTE_MS) * MINUTE_MS + 30_000;
    await send('behind', 95, then);
    await look(now());
    await look(now());
    expect(await briefs('behind')).toEqual(['minute opened opened warning']);
    expect((await events('behind'))[0]!.summary).toMatch(
      /^95 % of its limit per minute is used: 95 of 100 requests\. That was from \d\d:\d\d UTC.*; the requests were counted late\.$/,
    );
    // More of the same minute: a higher step of the same window.
    await send('behind', 10, then);
    await look(now());
    await look(now());
    expect(await briefs('behind')).toEqual([
      'minute opened opened warning',
      'minute severity_raised severity_raised critical',
    ]);
    // Another minute before it opens nothing, and its sums reach the monthly limit.
    await send('behind', 750, then - 3 * MINUTE_MS);
    await look(now());
    await look(now());
    const [, , third, ...rest] = await briefs('behind');
    expect([third, rest]).toEqual(['month opened opened info', []]);
    await look(now() + 3 * MINUTE_MS);
    expect((await briefs('behind')).at(-1)).toBe('minute resolved resolved critical');
  });
});
