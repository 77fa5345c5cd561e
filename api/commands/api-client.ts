import { connectionOf } from '../../ingest/connection.ts';
import { plain } from './table.ts';

/** Flags that every command talking to the api has. */
export interface ConnectionFlags {
  url: string;
  token?: string;
  /** Print the api's JSON as it is. */
  json?: boolean;
}

/** A failure that the person at the terminal can act on: told in one line, without a stack. */
export class CommandError extends Error {
  /** HTTP status, where there was an answer. */
  readonly status: number | undefined;
  /** The answer, where it was JSON. */
  readonly body: unknown;
  constructor(message: string, status?: number, body?: unknown) {
    super(plain(message));
    this.status = status;
    this.body = body;
  }
}

/** An answer of the api: as it was sent, and parsed. */
export interface ApiAnswer<Body> {
  text: string;
  body: Body;
}

/** Values of a query; those that are undefined are left out. */
export type Query = Record<string, string | undefined>;

/** Body of a request with its headers. */
export interface Payload {
  content: string | Uint8Array<ArrayBuffer>;
  headers: Record<string, string>;
}

/** The api as a command sees it: every failure is a {@link CommandError}. */
export class ApiClient {
  readonly #base: string;
  readonly #token: string;

  /** @throws {CommandError} when the address or the token cannot be one */
  constructor(flags: ConnectionFlags) {
    const connection = connectionOf(flags);
    if ('problem' in connection) throw new CommandError(connection.problem);
    this.#base = connection.url;
    this.#token = connection.token;
  }

  /** Reads; `query` is checked by the api. */
  get<Body>(path: string, query: Query = {}): Promise<ApiAnswer<Body>> {
    const given = Object.entries(query).filter((entry): entry is [string, string] => entry[1] !== undefined);
    const text = new URLSearchParams(given).toString();
    return this.#send('GET', text === '' ? path : `${path}?${text}`);
  }

  /** Posts JSON. */
  post<Body>(path: string, body: object): Promise<ApiAnswer<Body>> {
    const content = JSON.stringify(body);
    return this.#send('POST', path, { content, headers: { 'Content-Type': 'application/json' } });
  }

  delete<Body>(path: string): Promise<ApiAnswer<Body>> {
    return this.#send('DELETE', path);
  }

  /** Posts a body of any kind. */
  upload<Body>(path: string, payload: Payload): Promise<ApiAnswer<Body>> {
    return this.#send('POST', path, payload);
  }

  async #send<Body>(method: string, path: string, payload?: Payload): Promise<ApiAnswer<Body>> {
    const headers = { Authorization: `Bearer ${this.#token}`, Accept: 'application/json', ...payload?.headers };
    // A redirect would take the token to another server.
    const request = { method, headers, redirect: 'manual', ...(payload && { body: payload.content }) } as const;
    let response: Response;
    let text: string;
    try {
      response = await fetch(this.#base + path, request);
      text = await response.text();
    } catch (error) {
      throw new CommandError(`${this.#base} cannot be reached: ${causeOf(error)}`);
    }
    const body = parsed(text);
    if (!response.ok) throw new CommandError(failureText(response, body), response.status, body);
    if (response.status === 204) return { text: '', body: undefined as Body };
    if (typeof body !== 'object') throw new CommandError(`${this.#base} does not answer as Keytally: see --url`);
    return { text, body: body as Body };
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** fetch says only "fetch failed"; a host with several addresses fails with one error for each. */
function causeOf(error: unknown): string {
  const cause = ((error as Error).cause ?? error) as NodeJS.ErrnoException;
  return cause.message || cause.code || String(cause);
}

function failureText(response: Response, body: unknown): string {
  const { title, detail } = (body ?? {}) as { title?: unknown; detail?: unknown };
  const said = [title, detail].filter((part) => typeof part === 'string' && part !== '').join(': ');
  const text = said || `answered ${response.status} ${response.statusText}`.trim();
  return response.status === 401 ? `${text} (--token or KEYTALLY_TOKEN)` : text;
}
