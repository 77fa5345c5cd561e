import { describe, expect, test } from 'vitest';
import { asksAgain, isOld } from '../../dashboards/http/asks-again.ts';
import { problemFrom } from '../../dashboards/http/problem.ts';

const AT = 1_000_000;
const EVERY_MS = 5_000;
const answered = { loading: false, problem: null, answeredAt: AT };
const asked = { ...answered, loading: true };
const refused = (status: number) => ({ ...answered, problem: problemFrom(status, '') });

describe('a tick of a poller', () => {
  test.each([
    ['an answer is there', answered, false, true],
    ['an answer is being waited for', asked, false, false],
    ['the first answer is being waited for', { ...asked, answeredAt: null }, false, false],
    ['nobody looks', answered, true, false],
    ['the server failed', refused(500), false, true],
    ['the server was not reached', refused(0), false, true],
    ['a failed question is asked anew', { ...refused(503), loading: true }, false, false],
    ['the session is over', refused(401), false, false],
    ['the token may not', refused(403), false, false],
    ['the thing is gone', refused(404), false, false],
  ])('%s', (_, polled, hidden, asks) => expect(asksAgain(polled, hidden)).toBe(asks));

  test.each([
    ['a slow answer', asked, 3 * EVERY_MS, false],
    ['three periods without one', asked, 3 * EVERY_MS + 1, true],
    ['an hour in a hidden tab, before it asks', answered, 3_600_000, false],
    ['nothing to be old yet', { ...asked, answeredAt: null }, 3_600_000, false],
  ])('%s', (_, polled, ageMs, old) => expect(isOld(polled, EVERY_MS, AT + ageMs)).toBe(old));
});
