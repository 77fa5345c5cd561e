export type Route =
  | { page: 'login' }
  | { page: 'overview' }
  | { page: 'keys' }
  | { page: 'requests' }
  | { page: 'key'; keyId: string }
  | { page: 'missing' };

const PLAIN_PAGES = ['login', 'keys', 'requests'] as const;

function isPlainPage(name: string): name is (typeof PLAIN_PAGES)[number] {
  return (PLAIN_PAGES as readonly string[]).includes(name);
}

/** Which page a path asks for. */
export function routeOf(path: string): Route {
  const parts = path.split('/').filter(Boolean);
  if (parts.length === 0) return { page: 'overview' };
  if (parts.length === 1 && isPlainPage(parts[0]!)) return { page: parts[0] };
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
