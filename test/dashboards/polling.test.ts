import { describe, expect, test } from 'vitest';
import { asksAgain, isOld } from '../../dashboards/http/asks-again.ts';
import { laterRows, renewedRows } from '../../dashboards/http/later-rows.ts';
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

describe('later pages of a list whose first page is asked for again', () => {
  const page = (rows: string, next_cursor: string | null) => ({ data: rows.split(''), next_cursor });
  const idOf = (row: string) => row;
  const loaded = [page('fed', 'd'), page('cba', 'a')];
  test.each([
    ['nothing happened', page('fed', 'd'), loaded, page('cba', 'a')],
    ['new rows push others off the first page', page('hgf', 'f'), loaded, page('edcba', 'a')],
    ['a row went, and one of the second page moved up', page('fdc', 'c'), loaded, page('ba', 'a')],
    ['as many new rows as a page holds', page('ihg', 'g'), loaded, null],
    ['the list fits on one page now', page('cba', null), loaded, null],
    ['the list is empty', page('', null), loaded, null],
    ['only the first page was there', page('hgf', 'f'), loaded.slice(0, 1), null],
    ['nothing was there', page('hgf', 'f'), [], null],
  ])('%s', (_, first, pages, rest) => expect(laterRows(first, pages, idOf)).toEqual(rest));
});

test.each([
  ['nothing is shown yet', 0, 50],
  ['the first page', 50, 50],
  ['a short list', 3, 50],
  ['two pages', 100, 100],
  ['more than the api gives at once', 2_000, 500],
])('a list that is asked for again: %s', (_, shown, rows) => expect(renewedRows(50, shown)).toBe(rows));
