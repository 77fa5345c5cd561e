import { type ProblemError, problemFrom, problemOf } from './problem.ts';

export type Query = Record<string, string | number | null | undefined>;

export interface ApiClient {
  get<Answer>(path: string, query?: Query, signal?: AbortSignal): Promise<Answer>;
  /** Another representation of the same answer, e.g. text/csv, as a file. */
  download(path: string, query: Query, type: string): Promise<Blob>;
  /** The answer of a change; undefined when there is none (204). */
  post<Answer = void>(path: string, body?: unknown): Promise<Answer>;
  put<Answer = void>(path: string, body: unknown): Promise<Answer>;
  remove(path: string): Promise<void>;
}

export interface ApiClientOptions {
  /** Another origin, for a page that embeds the usage tab. Same origin when absent. */
  base?: string;
  /** Embed token; without one the session cookie speaks. */
  token?: string;
  onSignedOut?: (problem: ProblemError) => void;
}

function address(base: string, path: string, query: Query = {}): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== null && value !== undefined && value !== '') search.set(name, String(value));
  }
  const text = search.toString();
  return `${base}${path}${text ? `?${text}` : ''}`;
}

export function createApiClient(options: ApiClientOptions = {}): ApiClient {
  const base = options.base ?? '';

  async function call(method: string, url: string, init: RequestInit = {}, accept = 'application/json') {
    // The header cannot be sent by a foreign form, which is what protects the cookie from forged requests.
    const headers = new Headers({ accept, 'x-requested-with': 'keytally' });
    if (options.token) headers.set('authorization', `Bearer ${options.token}`);
    if (init.body) headers.set('content-type', 'application/json');
    const response = await fetch(url, {
      ...init,
      method,
      headers,
      credentials: options.token ? 'omit' : 'same-origin',
    }).catch((error: unknown) => {
      throw init.signal?.aborted ? error : problemOf(error);
    });
    if (response.ok) return response;
    const problem = problemFrom(response.status, await response.text());
    if (response.status === 401) options.onSignedOut?.(problem);
    throw problem;
  }

  async function change<Answer>(method: string, path: string, body: unknown): Promise<Answer> {
    const response = await call(method, `${base}${path}`, { body: JSON.stringify(body) });
    const text = await response.text();
    return (text ? JSON.parse(text) : undefined) as Answer;
  }

  return {
    async get<Answer>(path: string, query?: Query, signal?: AbortSignal) {
      const response = await call('GET', address(base, path, query), { signal });
      return (await response.json()) as Answer;
    },
    async download(path, query, type) {
      const response = await call('GET', address(base, path, query), {}, type);
      return response.blob();
    },
    post: (path, body = {}) => change('POST', path, body),
    put: (path, body) => change('PUT', path, body),
    async remove(path) {
      await call('DELETE', `${base}${path}`);
    },
  };
}
