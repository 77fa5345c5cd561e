import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';

/** A session of the embedded engine, as far as it is used here. */
interface Session {
  queryAsync(sql: string, options: object): Promise<{ bytes(): Uint8Array }>;
  queryBindAsync(sql: string, params: object, options: object): Promise<{ bytes(): Uint8Array }>;
  close(): void;
}

/**
 * What goes wrong with one statement.
 * - `refuse`, `proxy`, `cut`: not done; an error of ClickHouse, a load balancer's page, a broken connection in the middle of the body
 * - `silent`, `cut_answer`, `false_error`: done, but the client hears nothing, loses the connection, or is told of an error
 * - `late`: done after the client has given up and tried again
 * - `held`: runs until {@link ClickHouseHttp.letGo}
 */
export type Fault = 'refuse' | 'proxy' | 'cut' | 'silent' | 'cut_answer' | 'false_error' | 'late' | 'held';

const LATE_MS = 3_000;

/**
 * The embedded engine behind ClickHouse's HTTP protocol, so that the server path of the program (its client,
 * keep-alive, compression, errors, outages) is exercised with the real engine. One session: statements run one
 * after another, as far as these tests need.
 */
export class ClickHouseHttp {
  readonly #session: Session;
  #server: Server | undefined;
  #port: number;
  /** One after another: a statement must not run in the database that another request has just chosen. */
  #turn: Promise<unknown> = Promise.resolve();
  /** Statements received, for tests that look at what was sent. */
  readonly statements: string[] = [];
  /** Decides what goes wrong with a statement. */
  fault: (statement: string) => Fault | undefined = () => undefined;
  readonly seen = { connections: 0, requests: 0, gzippedRequests: 0, gzippedAnswers: 0, refusedAsRunning: 0 };
  /** Ids of the statements under way: a server takes none of them a second time meanwhile. */
  readonly #running = new Set<string>();
  readonly #held: (() => void)[] = [];
  /** Beside the engine's folder: it goes where that goes, also after a kill. */
  readonly #insertFolder: string;

  /** @param port 0 = any free one */
  constructor(folder: string, port = 0) {
    this.#port = port;
    const { Session } = createRequire(import.meta.url)('chdb') as { Session: new (path: string) => Session };
    this.#session = new Session(folder);
    this.#insertFolder = mkdtempSync(`${folder}-inserts-`);
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** Starts listening; a second time on the same port, as a server that comes back. */
  async start(): Promise<void> {
    this.#server = createServer((req, res) => void this.#answer(req, res));
    this.#server.on('connection', () => this.seen.connections++);
    await new Promise<void>((resolve) => this.#server!.listen(this.#port, '127.0.0.1', resolve));
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  /** Stops answering and cuts every connection. */
  async stop(): Promise<void> {
    const server = this.#server!;
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeAllConnections();
    await closed;
  }

  /** Lets the statements that are held go on. */
  letGo(): void {
    for (const goOn of this.#held.splice(0)) goOn();
  }

  close(): void {
    this.#session.close();
  }

  async #answer(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const url = new URL(req.url!, this.url);
    if (url.pathname === '/ping') {
      res.end('Ok.\n');
      return;
    }
    this.seen.requests++;
    if (req.headers['content-encoding'] === 'gzip') this.seen.gzippedRequests++;
    try {
      const inline = url.searchParams.get('query');
      const cut = inline !== null ? this.fault(inline) : undefined;
      if (cut === 'cut') {
        req.once('data', () => req.destroy());
        return;
      }
      const body = await bodyOf(req);
      // The session takes text; rows in the engine's own format come in by a file.
      const native = inline?.endsWith(' FORMAT Native') && body.length > 0;
      const { sql, search } = native
        ? { sql: nativeInsert(this.#insertFolder, inline!, body), search: url.searchParams }
        : await statementOf(req, body, url.searchParams);
      const fault = inline === null ? this.fault(sql) : cut;
      this.statements.push(sql.slice(0, 2_000));
      if (this.statements.length > 10_000) this.statements.splice(0, 5_000);
      await this.#once(search.get('query_id'), () =>
        this.#answerWith(fault, () => this.#inTurn(sql, search), url, res),
      );
    } catch (error) {
      answerError(res, (error as Error).message);
    }
  }

  /** @throws as a server does while a statement under this id runs, whoever has given up waiting for it */
  async #once(id: string | null, run: () => Promise<void>): Promise<void> {
    if (id === null) return run();
    if (this.#running.has(id)) {
      this.seen.refusedAsRunning++;
      throw new Error(
        `Code: 216. DB::Exception: Query with id = ${id} is already running. (QUERY_WITH_SAME_ID_IS_ALREADY_RUNNING)`,
      );
    }
    this.#running.add(id);
    await run().finally(() => this.#running.delete(id));
  }

  async #answerWith(
    fault: Fault | undefined,
    run: () => Promise<Buffer>,
    url: URL,
    res: ServerResponse,
  ): Promise<void> {
    if (fault === 'refuse') return answerError(res, 'Code: 202. DB::Exception: Too many simultaneous queries.');
    if (fault === 'proxy') {
      res.writeHead(503, { 'Content-Type': 'text/html' }).end('<html><h1>503 Service Unavailable</h1></html>');
      return;
    }
    if (fault === 'held') await new Promise<void>((resolve) => this.#held.push(resolve));
    if (fault === 'late') await new Promise((resolve) => setTimeout(resolve, LATE_MS));
    const bytes = await run();
    if (fault === 'silent') return;
    if (fault === 'cut_answer') return void res.socket?.destroy();
    if (fault === 'false_error') return answerError(res, 'Code: 209. DB::NetException: Timeout exceeded.');
    const gzip = url.searchParams.get('enable_http_compression') === '1';
    if (gzip) this.seen.gzippedAnswers++;
    res.writeHead(200, { ...(gzip ? { 'Content-Encoding': 'gzip' } : {}), 'X-ClickHouse-Summary': '{}' });
    res.end(gzip ? gzipSync(bytes) : bytes);
  }

  /** One after another: a statement must not run between another's USE and its own. */
  #inTurn(sql: string, search: URLSearchParams): Promise<Buffer> {
    const turn = this.#turn.then(() => this.#run(sql, search));
    this.#turn = turn.catch(() => undefined);
    return turn;
  }

  async #run(sql: string, search: URLSearchParams): Promise<Buffer> {
    const database = search.get('database') ?? 'default';
    await this.#session.queryAsync(`USE ${database}`, {});
    const params: Record<string, unknown> = {};
    for (const [name, value] of search)
      if (name.startsWith('param_')) params[name.slice(6)] = typed(sql, name.slice(6), value);
    const result =
      Object.keys(params).length > 0
        ? await this.#session.queryBindAsync(sql, params, {})
        : await this.#session.queryAsync(sql, {});
    return Buffer.from(result.bytes());
  }
}

function answerError(res: ServerResponse, message: string): void {
  res.writeHead(500, { 'X-ClickHouse-Exception-Code': /Code: (\d+)/.exec(message)?.[1] ?? '0' });
  res.end(message);
}

function nativeInsert(folder: string, statement: string, body: Buffer): string {
  const file = join(folder, `${randomUUID()}.native`);
  writeFileSync(file, body);
  setTimeout(() => rmSync(file, { force: true }), 60_000).unref();
  return `${statement.replace(/ FORMAT Native$/, '')} SELECT * FROM file('${file}', 'Native')`;
}

/** HTTP carries parameters as text; the embedded binding wants values of the declared type. */
function typed(sql: string, name: string, value: string): unknown {
  const type = new RegExp(`\\{${name}:([A-Za-z0-9()]+)\\}`).exec(sql)?.[1] ?? 'String';
  if (type.startsWith('Array(UInt')) return JSON.parse(value);
  if (type === 'Array(String)') return [...value.matchAll(/'((?:[^'\\]|\\.)*)'/g)].map(([, text]) => unescaped(text!));
  if (/^(U?Int(8|16|32)|Float\d+)$/.test(type)) return Number(value);
  return unescaped(value);
}

function unescaped(text: string): string {
  return text.replace(/\\(.)/g, (_, character: string) => ({ t: '\t', n: '\n', r: '\r' })[character] ?? character);
}

/** The statement is in the address, in the body, or with long parameters a field of a form. */
async function statementOf(
  req: IncomingMessage,
  body: Buffer,
  search: URLSearchParams,
): Promise<{ sql: string; search: URLSearchParams }> {
  const type = req.headers['content-type'] ?? '';
  if (type.startsWith('multipart/form-data')) {
    const form = await new Response(new Uint8Array(body), { headers: { 'Content-Type': type } }).formData();
    const params = new URLSearchParams(search);
    for (const [name, value] of form) params.append(name, String(value));
    return { sql: String(form.get('query')), search: params };
  }
  const inline = search.get('query');
  const text = body.toString('utf8');
  return { sql: inline === null ? text : `${inline}\n${text}`, search };
}

async function bodyOf(req: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of req) chunks.push(chunk as Buffer);
  const body = Buffer.concat(chunks);
  return req.headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body;
}
