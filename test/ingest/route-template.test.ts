import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { OpenApiPaths } from '../../ingest/open-api-paths.ts';
import { templateOf } from '../../ingest/route-template.ts';

const TEMPLATES: readonly [path: string, template: string][] = [
  ['', '/'],
  ['/', '/'],
  ['*', '/*'],
  ['/v1/users/8123', '/v1/users/{id}'],
  ['/v1/users/8123/?expand=a#top', '/v1/users/{id}'],
  ['//v1//users//8123//', '/v1/users/{id}'],
  ['/v1/users;tenant=a/8123;x=y', '/v1/users/{id}'],
  ['https://user:pass@api.example.com/v1/users/8', '/v1/users/{id}'],
  ['https://api.example.com', '/'],
  ['/a/550e8400-e29b-41d4-a716-446655440000', '/a/{uuid}'],
  ['/a/550E8400-E29B-41D4-A716-446655440000.pdf', '/a/{uuid}.pdf'],
  ['/a/01ARZ3NDEKTSV4RRFFQ69G5FAV', '/a/{ulid}'],
  ['/a/507f1f77bcf86cd799439011', '/a/{id}'],
  ['/a/d41d8cd98f00b204e9800998ecf8427e', '/a/{hash}'],
  ['/reports/2026-01-14', '/reports/{date}'],
  ['/reports/2026-01-14T10:00:00Z', '/reports/{date}'],
  ['/reports/2026-W03', '/reports/{date}'],
  ['/users/jo.do@example.com/x', '/users/{email}/x'],
  ['/users/jo.do%40example.com', '/users/{email}'],
  ['/customers/cus_Na6dX7aXxi11N4', '/customers/{id}'],
  ['/s/sub_1MowQVLkdIwHu7ixeraTL0fp', '/s/{token}'],
  ['/a/dQwgXcQQaKbJhLmNoPqR', '/a/{token}'],
  ['/hosts/10.0.0.1', '/hosts/{ip}'],
  ['/hosts/2001:db8::1', '/hosts/{ip}'],
  ['/geo/52.52,13.40', '/geo/{id}'],
  ['/x/order-98765', '/x/{id}'],
  ['/a/user123', '/a/{id}'],
  ['/a/+46701234567', '/a/{id}'],
  ['/files/my%20document.pdf', '/files/{text}'],
  ['/projects/group%2Fname/issues', '/projects/{text}/issues'],
  ['/a/%zz', '/a/{text}'],
  ['/weather/Malm%C3%B6', '/weather/Malmö'],
  ['/v1/jobs/8123:cancel', '/v1/jobs/{id}:cancel'],
  ['/Orders(8123)/Items', '/Orders({id})/Items'],
  ['/8123.json', '/{id}.json'],
  ['/static/main.3f2a91cd.js', '/static/{id}.js'],
  ['/packages/left-pad/1.3.0', '/packages/left-pad/{version}'],
  // What stays: names, versions, words with digits.
  ['/img/logo.png', '/img/logo.png'],
  ['/.well-known/jwks.json', '/.well-known/jwks.json'],
  ['/oauth2/token', '/oauth2/token'],
  ['/s3/i18n/utf8/sha256/x86_64/us-east-1', '/s3/i18n/utf8/sha256/x86_64/us-east-1'],
  ['/v1beta1/v2.1/x', '/v1beta1/v2.1/x'],
  ['/2.0/users', '/2.0/users'],
  ['/2015-03-31/functions', '/2015-03-31/functions'],
  ['/admin/api/2024-10/products.json', '/admin/api/2024-10/products.json'],
  ['/getUserAccountPreferencesList', '/getUserAccountPreferencesList'],
  ['/@scope/pkg', '/@scope/pkg'],
  ['/v1/users/{id}', '/v1/users/{id}'],
  ['/v1/__proto__/constructor', '/v1/__proto__/constructor'],
  [`/${'a/'.repeat(40)}`, `/${'a/'.repeat(16)}…`],
];

describe('templateOf', () => {
  it.each(TEMPLATES)('%s -> %s', (path, template) => expect(templateOf(path)).toBe(template));

  it('gives for every id of one kind the same template', () => {
    const id = fc.oneof(
      fc.uuid().map((uuid) => `/a/${uuid}`),
      fc.nat().map((number) => `/b/${number}`),
      fc
        .ulid()
        .filter((ulid) => /[A-Z]/.test(ulid))
        .map((ulid) => `/c/${ulid}`),
    );
    fc.assert(fc.property(id, (path) => ['/a/{uuid}', '/b/{id}', '/c/{ulid}'].includes(templateOf(path))));
  });

  it('takes any text, is bounded, and leaves its own result alone', () => {
    fc.assert(
      fc.property(fc.oneof(fc.webPath(), fc.string({ unit: 'binary', maxLength: 300 })), (path) => {
        const template = templateOf(path);
        expect(template.startsWith('/')).toBe(true);
        expect(template.length).toBeLessThan(512);
      }),
    );
    for (const [, template] of TEMPLATES) expect(templateOf(templateOf(template))).toBe(templateOf(template));
  });

  it.each(['a', '/', '%41', 'a-', ';', '(', ':', '1.', '@', 'aA', '{'])(
    'comes to an end over 200,000 times %s',
    (piece) => {
      for (let i = 0; i < 20; i++) expect(templateOf('/' + piece.repeat(200_000)).length).toBeLessThan(512);
    },
    20_000,
  );
});

describe('OpenApiPaths', () => {
  const paths = new OpenApiPaths({
    servers: [{ url: 'https://api.example.com/api/v1' }, { url: '/{tenant}/x' }, null],
    paths: {
      '/users/{id}': { get: {}, parameters: [] },
      '/users/me': { get: {}, post: {} },
      '/users/{id}/orders': { get: {} },
      '/files/{name}.json': { get: {} },
      '/jobs/{job}:cancel': { post: {} },
      '/proxy/{rest+}': { get: {} },
      '/things/{thing}': { put: {} },
      '/things/{other}': { delete: {} },
      __proto__: { get: {} },
      broken: { get: {} },
      '/null': null,
    },
  });

  it.each([
    ['get', '/users/5', '/users/{id}'],
    ['GET', '/api/v1/users/5/?x=1', '/users/{id}'],
    ['GET', 'https://api.example.com/api/v1/users/5', '/users/{id}'],
    ['GET', '/users/me', '/users/me'],
    ['GET', '/users/me/orders', '/users/{id}/orders'],
    ['DELETE', '/users/me', '/users/me'],
    ['GET', '/files/a.json', '/files/{name}.json'],
    ['GET', '/files/.json', ''],
    ['POST', '/jobs/7:cancel', '/jobs/{job}:cancel'],
    ['GET', '/proxy/a/b/c', '/proxy/{rest+}'],
    ['DELETE', '/things/1', '/things/{other}'],
    ['PUT', '/things/1', '/things/{thing}'],
    ['GET', '/nope', ''],
    ['GET', '/apiary/v1/users/5', ''],
    ['GET', '', ''],
  ])('%s %s -> %s', (method, path, template) => expect(paths.match(method, path)).toBe(template));

  it('lists every operation once', () => {
    expect(paths.endpoints).toHaveLength(9);
    expect(paths.endpoints).toContainEqual({ method: 'POST', template: '/users/me' });
  });

  it.each([[undefined], [null], ['x'], [{}], [{ paths: [] }], [{ paths: { '/a': 1 } }]])(
    'takes %j as empty',
    (document) => {
      const empty = new OpenApiPaths(document);
      expect(empty.match('GET', '/a')).toBe('');
      expect(empty.endpoints).toEqual([]);
    },
  );
});
