export type Route = { page: 'login' } | { page: 'keys' } | { page: 'key'; keyId: string } | { page: 'missing' };

/** Which page a path asks for. */
export function routeOf(path: string): Route {
  const parts = path.split('/').filter(Boolean);
  if (parts.length === 0 || (parts.length === 1 && parts[0] === 'keys')) return { page: 'keys' };
  if (parts.length === 1 && parts[0] === 'login') return { page: 'login' };
  if (parts.length === 2 && parts[0] === 'keys') {
    try {
      return { page: 'key', keyId: decodeURIComponent(parts[1]!) };
    } catch {
      return { page: 'missing' };
    }
  }
  return { page: 'missing' };
}

export function keyPath(keyId: string): string {
  // Dots are escaped, too: a server may take "/keys/203.0.113.7" for a file and refuse to answer it with the page.
  return `/keys/${encodeURIComponent(keyId).replaceAll('.', '%2E')}`;
}

/** Where to go after signing in. Only into this site: `//elsewhere` and `/\elsewhere` are other sites to a browser. */
export function returnPath(next: string | null): string {
  if (!next || !/^\/(?![/\\])/.test(next) || /[\t\n\r]/.test(next) || next.startsWith('/login')) return '/';
  return next;
}

export function loginPath(from: string): string {
  const next = returnPath(from);
  return next === '/' ? '/login' : `/login?next=${encodeURIComponent(next)}`;
}
