import { describe, expect, it } from 'vitest';
import { keyPath, loginPath, returnPath, routeOf } from '../../dashboards/address/route.ts';
import { nextSort, readKeyListQuery, sortText, writeKeyListQuery } from '../../dashboards/console/key-list-query.ts';
import { problemFrom } from '../../dashboards/http/problem.ts';
import { readView, toggleFilter, writeView } from '../../dashboards/usage-tab/view.ts';

const view = (search: string) => readView(new URLSearchParams(search), 'Europe/Paris');

describe('usage view in the address', () => {
  it.each([
    ['', 'range=7d&tz=Europe/Paris&bucket=auto'],
    ['range=90d&tz=Asia/Kolkata&bucket=day', 'range=90d&tz=Asia/Kolkata&bucket=day'],
    ['range=2y&tz=Mars/Olympus&bucket=second', 'range=7d&tz=Europe/Paris&bucket=auto'],
    [
      'from=2026-11-01T00:00:00Z&to=2026-11-02T00:00:00Z',
      'from=2026-11-01T00:00:00.000Z&to=2026-11-02T00:00:00.000Z&tz=Europe/Paris&bucket=auto',
    ],
    ['from=2026-11-02T00:00:00Z&to=2026-11-01T00:00:00Z', 'range=7d&tz=Europe/Paris&bucket=auto'],
    ['route=/a%26b&status=5xx&live=1', 'range=7d&tz=Europe/Paris&live=1&bucket=auto&route=/a%26b&status=5xx'],
  ])('"%s" is spelled out as "%s"', (search, written) => {
    expect(writeView(view(search))).toBe(written);
    expect(view(written)).toEqual(view(search));
  });

  it.each([
    [{}, { country: 'SE' }, { country: 'SE' }],
    [{ country: 'SE' }, { country: 'SE' }, {}],
    [{ country: 'SE' }, { country: 'NO' }, { country: 'NO' }],
    [{ method: 'GET', route: '/a' }, { method: 'GET', route: '/a' }, {}],
    [
      { method: 'GET', route: '/a', status: '404' },
      { method: 'GET', route: '/b' },
      { method: 'GET', route: '/b', status: '404' },
    ],
  ])('filter %o, click on %o: %o', (filter, change, next) => expect(toggleFilter(filter, change)).toEqual(next));
});

describe('key list in the address', () => {
  it.each([
    ['', ''],
    ['sort=-requests_30d', ''],
    ['sort=nonsense&unused_days=x', ''],
    ['search=a%20b&sort=last_used&status=active', 'search=a+b&status=active&sort=last_used'],
    ['organization_id=acme&unused_days=30', 'organization_id=acme&unused_days=30'],
    ['limit_used_percent=80&sort=-limit_used', 'limit_used_percent=80&sort=-limit_used'],
  ])('"%s" becomes "%s"', (search, written) => {
    expect(writeKeyListQuery(readKeyListQuery(new URLSearchParams(search)))).toBe(written);
  });

  it.each([
    ['requests_30d', true, 'requests_30d', 'requests_30d'],
    ['requests_30d', false, 'requests_30d', '-requests_30d'],
    ['requests_30d', true, 'key_id', 'key_id'],
    ['key_id', false, 'last_used', '-last_used'],
  ] as const)('sorted by %s (descending: %s), click on %s: %s', (field, descending, clicked, expected) => {
    expect(sortText(nextSort({ field, descending }, clicked))).toBe(expected);
  });
});

describe('routes', () => {
  it.each([
    ['/', { page: 'overview' }],
    ['/requests', { page: 'requests' }],
    ['/keys/', { page: 'keys' }],
    ['/login', { page: 'login' }],
    ['/keys/key_1', { page: 'key', keyId: 'key_1' }],
    [keyPath('a/b ?#%\u202E'), { page: 'key', keyId: 'a/b ?#%\u202E' }],
    [keyPath('203.0.113.7'), { page: 'key', keyId: '203.0.113.7' }],
    ['/keys/%E0%A4%A', { page: 'missing' }],
    ['/nowhere', { page: 'missing' }],
  ])('%s', (path, route) => expect(routeOf(path)).toEqual(route));

  it.each([
    [null, '/'],
    ['/keys/a?range=1h', '/keys/a?range=1h'],
    ['//evil.example', '/'],
    ['/\\evil.example', '/'],
    ['/\t/evil.example', '/'],
    ['https://evil.example', '/'],
    ['javascript:alert(1)', '/'],
    ['/login?next=/', '/'],
  ])('after signing in, %s leads to %s', (next, path) => expect(returnPath(next)).toBe(path));

  it('remembers the full address', () => {
    expect(loginPath('/')).toBe('/login');
    expect(loginPath('/keys/a?range=1h&tz=UTC')).toBe('/login?next=%2Fkeys%2Fa%3Frange%3D1h%26tz%3DUTC');
  });
});

describe('problems', () => {
  it.each([
    [400, '{"title":"Too many buckets","detail":"Choose a longer one."}', 'Too many buckets', 'Choose a longer one.'],
    [502, '<html>nginx</html>', 'The server answered 502', ''],
    [403, '', 'This token may not see that', ''],
    [500, '"text"', 'The server answered 500', ''],
    [500, 'null', 'The server answered 500', ''],
  ])('%s %s', (status, body, title, detail) => {
    const problem = problemFrom(status, body);
    expect([problem.status, problem.message, problem.detail]).toEqual([status, title, detail]);
  });
});
