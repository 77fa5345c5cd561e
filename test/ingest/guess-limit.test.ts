import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseConfig } from '../../ingest/config.ts';
import { GuessTally, MAX_GUESSES, MAX_REFUSALS_TOLD } from '../../ingest/guess-tally.ts';
import { type Stack, startStack } from '../support/stack.ts';

describe('who guesses', () => {
  const HERE = '198.51.100.7';

  function tallyAt(clock: { nowMs: number }) {
    const tally = new GuessTally(() => clock.nowMs);
    return {
      tally,
      refuse: (times: number, name = (n: number) => `wrong ${n}`) => {
        const told = Array.from({ length: times }, (_, n) => tally.refused(HERE, name(n)));
        return told.filter((isTold) => isTold).length;
      },
    };
  }

  test('is told so often and no more, until the minute is over', () => {
    const clock = { nowMs: 1_000 };
    const { tally, refuse } = tallyAt(clock);
    expect(refuse(MAX_REFUSALS_TOLD + 50)).toBe(MAX_REFUSALS_TOLD);
    expect(tally.secondsLeft(HERE)).toBe(60);
    clock.nowMs += 59_999;
    expect(refuse(1)).toBe(0);
    clock.nowMs += 1;
    expect([tally.isWatched(HERE), refuse(1)]).toEqual([false, 1]);
  });

  test('one wrong token again and again is no guessing', () => {
    const { tally, refuse } = tallyAt({ nowMs: 0 });
    refuse(MAX_GUESSES * 2, () => 'expired');
    expect(tally.mayTry(HERE, 'never seen')).toBe(true);
  });

  test('after very many different ones only what was good from there is looked up', () => {
    const clock = { nowMs: 0 };
    const { tally, refuse } = tallyAt(clock);
    refuse(MAX_GUESSES - 1);
    tally.accepted(HERE, 'in use');
    expect(tally.mayTry(HERE, 'never seen')).toBe(true);
    refuse(1, () => 'one more');
    expect(tally.mayTry(HERE, 'never seen')).toBe(false);
    expect(tally.mayTry(HERE, 'in use')).toBe(true);
    expect(tally.mayTry('198.51.100.8', 'in use')).toBe(true);
    refuse(MAX_GUESSES, (n) => `elsewhere ${n}`);
    clock.nowMs += 60_000;
    expect(tally.mayTry(HERE, 'never seen')).toBe(true);
  });
});

describe('one address, many senders', () => {
  let stack: Stack;
  beforeAll(async () => {
    stack = await startStack();
  });
  afterAll(() => stack.stop());

  const records = [{ key_id: 'k', status: 200 }];
  const post = (token: string) => stack.call('/v1/requests', { method: 'POST', token, body: records });
  const expired = `kt_${'e'.repeat(40)}`;

  test('a gateway whose token is refused all the time gets 429 in the end, and stops nobody else', async () => {
    const fresh = await stack.token({ name: 'fresh', scopes: ['ingest'] });
    const before = new Set<number>();
    for (let n = 0; n < MAX_REFUSALS_TOLD; n++) before.add((await post(expired)).status);
    expect([...before]).toEqual([401]);
    const refused = await post(expired);
    expect([refused.status, refused.json.title]).toEqual([429, 'Too many refused tokens']);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    expect((await post(`kt_${'f'.repeat(40)}`)).status).toBe(429);
    expect((await post('')).status).toBe(429);
    expect((await post(fresh)).status).toBe(202);
    expect((await stack.call('/v1/keys')).status).toBe(200);
    expect((await stack.call('/v1/keys', { token: expired })).status).toBe(429);
  });
});

test.each(['10.0.0.0/33', '10.0.0.0/', '10.0.0.0/0', '::/0', 'fe80::1%br-1', 'proxy.internal', '10/8'])(
  'TRUSTED_PROXIES=%s is named at the start',
  (range) => {
    expect(() => parseConfig({ TRUSTED_PROXIES: `10.0.0.1,${range}` })).toThrow(
      /^TRUSTED_PROXIES: must be addresses or ranges such as/,
    );
  },
);

test('addresses and ranges of proxies are taken', () => {
  const proxies = ['10.0.0.1', '10.0.0.0/8', '::1', 'fd00::/8'];
  expect(parseConfig({ TRUSTED_PROXIES: proxies.join(', ') }).TRUSTED_PROXIES).toEqual(proxies);
});
