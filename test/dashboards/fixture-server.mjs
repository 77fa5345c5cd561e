/**
 * The api as the dashboards see it, with generated traffic, for work on the pages:
 * `npx vite build dashboards && node test/dashboards/fixture-server.mjs [port]`, then sign in with any token but "wrong".
 */
import { createReadStream, existsSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';
import { groupedUsage, keyDetails, keyList, recentRequests, usageOf } from './fixture-traffic.mjs';

const PAGES = join(import.meta.dirname, '../../dist/dashboards');
const TYPES = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml' };
// The policy of the real api: what breaks under it must break here.
const POLICY = "default-src 'self'; style-src 'self'; script-src 'self'; img-src 'self' data:";
const COOKIE = 'keytally_session';

function json(response, status, body) {
  const type = status >= 400 ? 'application/problem+json' : 'application/json';
  response.writeHead(status, { 'content-type': type });
  response.end(JSON.stringify(body));
}

function problem(response, status, title, detail) {
  json(response, status, { type: 'about:blank', status, title, detail });
}

async function session(request, response) {
  if (request.method === 'POST') {
    let body = '';
    for await (const chunk of request) body += chunk;
    if (JSON.parse(body).token === 'wrong') return problem(response, 401, 'Unauthorized', 'This token is not known.');
    response.writeHead(204, { 'set-cookie': `${COOKIE}=1; Path=/; HttpOnly; SameSite=Lax` });
    return response.end();
  }
  if (request.method === 'DELETE') {
    response.writeHead(204, { 'set-cookie': `${COOKIE}=; Path=/; Max-Age=0` });
    return response.end();
  }
  json(response, 200, { scopes: ['admin'], organization_id: null, key_id: null, name: 'First admin' });
}

async function answer(request, response, url, options) {
  const signedIn = request.headers.cookie?.includes(`${COOKIE}=1`);
  if (url.pathname === '/v1/session' && (signedIn || request.method === 'POST')) return session(request, response);
  if (!signedIn) return problem(response, 401, 'Unauthorized', 'Sign in first.');
  if (options.slow) await new Promise((done) => setTimeout(done, options.slow));
  if (url.pathname === '/v1/keys') return json(response, 200, keyList(url.searchParams, options));
  if (url.pathname === '/v1/usage') return json(response, 200, groupedUsage(url.searchParams));
  if (url.pathname === '/v1/requests') return json(response, 200, recentRequests(url.searchParams));
  const [, id, usage] = /^\/v1\/keys\/([^/]+)(\/usage)?$/.exec(url.pathname) ?? [];
  const key = id && keyDetails(decodeURIComponent(id));
  if (!key) return problem(response, 404, 'Not found', 'There is no key with this id.');
  if (!usage) return json(response, 200, key);
  if (key.key_id === 'key_broken') {
    return problem(response, 503, 'The store is not reachable', 'ClickHouse did not answer within 5 s.');
  }
  json(response, 200, usageOf(key, url.searchParams));
}

function page(response, path) {
  const wanted = join(PAGES, normalize(path));
  const file = wanted.startsWith(PAGES) && extname(wanted) && existsSync(wanted) ? wanted : join(PAGES, 'index.html');
  response.writeHead(200, {
    'content-type': TYPES[extname(file)] ?? 'application/octet-stream',
    'content-security-policy': POLICY,
  });
  createReadStream(file).pipe(response);
}

/** `slow`: ms before each answer; `empty`: no key yet. */
export function startFixtureServer(port = 0, options = {}) {
  const server = createServer((request, response) => {
    const url = new URL(request.url, 'http://fixture');
    if (url.pathname.startsWith('/v1/')) answer(request, response, url, options);
    else page(response, url.pathname);
  });
  return new Promise((done) => server.listen(port, '127.0.0.1', () => done(server)));
}

if (process.argv[1] === import.meta.filename) {
  const server = await startFixtureServer(Number(process.argv[2] ?? 4173));
  console.log(`http://127.0.0.1:${server.address().port}`);
}
