/** Pages without a part of their own in the path. */
const PLAIN_PAGES = [
  'login',
  'keys',
  'requests',
  'policies',
  'alerts',
  'alert-rules',
  'channels',
  'silences',
  'deliveries',
  'connect',
  'system',
  'jobs',
  'audit',
  'tokens',
] as const;
type PlainPage = (typeof PLAIN_PAGES)[number];

/** Pages of one thing: `/policies/{id}`. */
const PAGES_OF_ONE = {
  keys: 'key',
  policies: 'policy',
  alerts: 'alert',
  'alert-rules': 'alert-rule',
  channels: 'channel',
} as const;
type PageOfOne = Exclude<(typeof PAGES_OF_ONE)[keyof typeof PAGES_OF_ONE], 'key'>;

export type Route =
  | { page: 'overview' }
  | { page: PlainPage }
  | { page: 'key'; keyId: string }
  | { page: PageOfOne; id: string }
  | { page: 'missing' };

function isPlainPage(name: string): name is PlainPage {
  return (PLAIN_PAGES as readonly string[]).includes(name);
}

/** Which page a path asks for. */
export function routeOf(path: string): Route {
  const parts = path.split('/').filter(Boolean);
  const [first = '', second = ''] = parts;
  if (parts.length === 0) return { page: 'overview' };
  if (parts.length === 1 && isPlainPage(first)) return { page: first };
  if (parts.length === 2 && Object.hasOwn(PAGES_OF_ONE, first)) {
    try {
      const id = decodeURIComponent(second);
      const page = PAGES_OF_ONE[first as keyof typeof PAGES_OF_ONE];
      return page === 'key' ? { page, keyId: id } : { page, id };
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
