import { createReadStream, createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createGzip } from 'node:zlib';
import { type ClickHouseClient, ClickHouseLogLevel, createClient } from '@clickhouse/client';
import type { Config } from '../../ingest/config.ts';
import { ConfigError } from '../../ingest/config-error.ts';
import { withoutSecret } from '../../ingest/redis.ts';
import { orphanedTokens } from '../metrics.ts';
import { bindValues, quotedText } from './bind-values.ts';
import { BlockFiles } from './block-files.ts';
import { forgetOrphanedTokens } from './orphaned-tokens.ts';
import { MAX_WAITING_READS, Sessions } from './sessions.ts';

/** How this program's statements must be written for the store. */
export type Topology = 'embedded' | 'server' | 'cluster';

/** Settings of one statement, written into its text (see {@link withSettings}). */
export type Settings = Readonly<Record<string, string | number>>;

export type QueryParams = Readonly<Record<string, unknown>>;

/**
 * Settings of every read. 64-bit integers come as JSON numbers: counts stay far below 2^53. A query that
 * takes longer than the page waits for it is ended by the engine.
 */
const READ_SETTINGS: Settings = {
  output_format_json_quote_64bit_integers: 0,
  output_format_json_quote_denormals: 0,
  output_format_decimal_trailing_zeros: 0,
  date_time_output_format: 'iso',
  join_use_nulls: 0,
  max_execution_time: 25,
};

/**
 * On the embedded engine in addition: what is read is mostly in the page cache, and handing each read to a pool of threads, the engine's
 * default, made a statement about one key take a sixth more CPU. Answers are short, and two threads that write them out cost a
 * statement 0.4 to 0.6 ms (`SELECT 1`: 0.7 instead of 1.3 ms). An expression that comes three times is compiled, which takes 16 to 64 ms: a sixth
 * of the engine's time in a process that lives for half a minute, and no read was the faster for it (a window of all alert rules over 30,000 keys took
 * 0.60 to 0.67 s of processor without, 0.68 to 0.83 with). Inserts are, by a tenth, and keep it.
 */
const EMBEDDED_READ_SETTINGS: Settings = {
  local_filesystem_read_method: 'pread',
  output_format_parallel_formatting: 0,
  compile_expressions: 0,
  compile_aggregate_expressions: 0,
  compile_sort_description: 0,
};

/**
 * On a cluster in addition. Rows of one key lie on one shard, so a subquery over another sharded table that is matched by key
 * may stay on the shard (`local`; the server's default refuses it). A shard without an answer is an error, never a smaller number.
 * The first replica that is up answers: with one after another a number could go up and down.
 */
const CLUSTER_READ_SETTINGS: Settings = {
  distributed_product_mode: 'local',
  skip_unavailable_shards: 0,
  load_balancing: 'in_order',
  fallback_to_stale_replicas_for_distributed_queries: 1,
};

const READ_SETTINGS_OF: Readonly<Record<Topology, Settings>> = {
  embedded: EMBEDDED_READ_SETTINGS,
  server: {},
  cluster: CLUSTER_READ_SETTINGS,
};

/**
 * On a cluster in addition: most replicas of each shard have the rows before the insert is confirmed, and the node that takes
 * them waits for every shard. The token goes along to each shard, whose part of the rows is always the same.
 */
const CLUSTER_INSERT_SETTINGS: Settings = {
  distributed_foreground_insert: 1,
  insert_quorum: 'auto',
  insert_quorum_parallel: 1,
  insert_quorum_timeout: 20_000,
};

const MAX_CONNECTIONS = 40;
/** A server says nothing before its first row, and the client takes that for silence: longer than any statement aside may run. */
const ASIDE_TIMEOUT_MS = 600_000;
/** Sessions that read on the embedded engine: statements of one session run one after another. */
const EMBEDDED_READERS = 4;
/** Lists of many ids stand in the statement's text there; the engine's own bound of 256 KB is for strangers' statements. */
const EMBEDDED_MAX_STATEMENT_BYTES = 268_435_456;

/** An optional package: named by a variable, so that the program also compiles where it is not installed. */
const EMBEDDED_ENGINE: string = 'chdb/connection';
interface EmbeddedEngine {
  createChdbConnection(options: { path: string }): object;
}

/**
 * The store as the rest of Keytally sees it: ClickHouse as a server, or the same engine inside this process.
 * Settings never go through the client's own option: on the embedded engine they would stay on the session
 * and reach later statements (an insert without a token was dropped silently that way).
 */
export class Store {
  readonly embedded: boolean;
  readonly #writer: Sessions;
  readonly #readers: Sessions;
  readonly #aside: Sessions;
  readonly #readSettings: Settings;
  readonly #insertSettings: Settings;
  readonly #blocks: BlockFiles | undefined;

  /**
   * @param aside runs the long statements that nobody waits for
   * @param blocks where blocks pass on their way into the embedded engine
   */
  constructor(writer: Sessions, readers: Sessions, aside: Sessions, topology: Topology, blocks?: BlockFiles) {
    this.#blocks = blocks;
    this.#writer = writer;
    this.#readers = readers;
    this.#aside = aside;
    this.embedded = topology === 'embedded';
    this.#readSettings = { ...READ_SETTINGS, ...READ_SETTINGS_OF[topology] };
    this.#insertSettings = topology === 'cluster' ? CLUSTER_INSERT_SETTINGS : {};
  }

  /** Rows of a SELECT (without FORMAT and SETTINGS). Every value goes in by its name, `{name:Type}`: see {@link bindValues} for how. */
  async query<Row>(sql: string, params: QueryParams = {}, settings: Settings = {}): Promise<Row[]> {
    return this.#select<Row>(this.#readers, sql, params, settings);
  }

  /** As {@link query}, on the writing session: sees everything this process wrote before. */
  async queryWriter<Row>(sql: string, params: QueryParams = {}): Promise<Row[]> {
    return this.#select<Row>(this.#writer, sql, params, {});
  }

  async #select<Row>(sessions: Sessions, sql: string, params: QueryParams, settings: Settings): Promise<Row[]> {
    const query = this.#bound(withSettings(sql, { ...this.#readSettings, ...settings }), params);
    const result = await sessions.run((client) => client.query({ ...query, format: 'JSONEachRow' }));
    return result.json<Row>();
  }

  #bound(sql: string, params: QueryParams): { query: string; query_params?: Record<string, unknown> } {
    return this.embedded ? { query: bindValues(sql, params) } : { query: sql, query_params: { ...params } };
  }

  async command(sql: string, params: QueryParams = {}): Promise<void> {
    await this.#writer.run((client) => client.command(this.#bound(sql, params)));
  }

  /** As {@link query}, where the answer may take minutes and nobody waits for it; `max_execution_time` is the caller's to raise. */
  async queryAside<Row>(sql: string, params: QueryParams = {}, settings: Settings = {}): Promise<Row[]> {
    return this.#select<Row>(this.#aside, sql, params, settings);
  }

  /** A long statement that nobody waits for; inserts and the writer's reads go on beside it. */
  async commandAside(sql: string): Promise<void> {
    await this.#aside.run((client) => client.command({ query: sql }));
  }

  /**
   * Inserts a block in the Native format (see native-block.ts).
   * @param table with its columns: `t (a, b)`
   * @param queryId shown in system.query_log of a server
   */
  async insertBlock(table: string, settings: Settings, block: Buffer, queryId: string): Promise<void> {
    const statement = withSettings(`INSERT INTO ${table}`, { ...settings, ...this.#insertSettings });
    if (this.#blocks !== undefined) {
      await this.#blocks.pass(block, (path) =>
        this.command(`${statement} SELECT * FROM file(${literal(path)}, 'Native')`),
      );
      return;
    }
    const values = Readable.from([block], { objectMode: false });
    const result = await this.#writer.run((client) =>
      client.exec({ query: `${statement} FORMAT Native`, values, query_id: queryId }),
    );
    result.stream.resume();
  }

  /** Inserts objects; for the small tables of the registry, not for records. */
  async insertRows(table: string, rows: readonly object[], settings: Settings = {}): Promise<void> {
    if (rows.length === 0) return;
    const body = rows.map((row) => JSON.stringify(row)).join('\n');
    const base = { async_insert: 0, input_format_skip_unknown_fields: 0, date_time_input_format: 'best_effort' };
    const result = await this.#writer.run((client) =>
      client.exec({
        query: `${withSettings(`INSERT INTO ${table}`, { ...base, ...settings, ...this.#insertSettings })} FORMAT JSONEachRow`,
        values: Readable.from([body], { objectMode: false }),
      }),
    );
    result.stream.resume();
  }

  /** Rows of a SELECT as a compressed file in the engine's own format, which keeps every type exactly. */
  async exportNative(select: string, path: string): Promise<void> {
    if (this.embedded) {
      // The connection passes text; the engine writes the file itself.
      return this.command(`INSERT INTO FUNCTION file(${quotedText(path)}, 'Native') ${select}`);
    }
    const { stream } = await this.#writer.run((client) => client.exec({ query: `${select} FORMAT Native` }));
    await pipeline(stream, createGzip(), createWriteStream(path, { mode: 0o600 }));
  }

  /** Loads a file of {@link exportNative}. Equal blocks are not taken for repeats. */
  async importNative(table: string, path: string): Promise<void> {
    const insert = `INSERT INTO ${table} SETTINGS insert_deduplicate = 0`;
    if (this.embedded) return this.command(`${insert} SELECT * FROM file(${quotedText(path)}, 'Native')`);
    const values = createReadStream(path).pipe(createGunzip());
    const { stream } = await this.#writer.run((client) => client.exec({ query: `${insert} FORMAT Native`, values }));
    stream.resume();
  }

  async ping(): Promise<boolean> {
    try {
      await this.query('SELECT 1');
      return true;
    } catch {
      return false;
    }
  }

  async close(): Promise<void> {
    for (const sessions of new Set([this.#readers, this.#aside, this.#writer])) await sessions.close();
  }
}

/** Appends a SETTINGS clause; values are numbers or quoted text. */
export function withSettings(sql: string, settings: Settings): string {
  const parts = Object.entries(settings).map(([name, value]) => `${name} = ${literal(value)}`);
  return parts.length === 0 ? sql : `${sql} SETTINGS ${parts.join(', ')}`;
}

function literal(value: string | number): string {
  return typeof value === 'number' ? String(value) : quotedText(value);
}

/**
 * Opens the store that the configuration names and creates its database.
 * @throws {ConfigError} when the server cannot be reached or the embedded engine is not installed
 */
export async function openStore(config: Config, dataFolder: string): Promise<Store> {
  return config.CLICKHOUSE_URL ? openServer(config) : openEmbedded(config, dataFolder);
}

async function openServer(config: Config): Promise<Store> {
  const url = config.CLICKHOUSE_URL!;
  const connect = (database: string, timeoutMs = config.CLICKHOUSE_TIMEOUT_MS) =>
    createClient({
      url,
      username: config.CLICKHOUSE_USER,
      password: config.CLICKHOUSE_PASSWORD,
      database,
      request_timeout: timeoutMs,
      max_open_connections: MAX_CONNECTIONS,
      keep_alive: { enabled: true, idle_socket_ttl: 2_500 },
      compression: { request: true, response: true },
      // Lists of many key ids do not fit into a URL.
      use_multipart_params_auto: true,
      // Its errors reach us as errors; a second, unstructured copy would only clutter the log.
      log: { level: ClickHouseLogLevel.OFF },
    });
  const boot = connect('default');
  const answer = await boot.ping({ select: true });
  if (!answer.success) {
    await boot.close();
    throw new ConfigError(`CLICKHOUSE_URL: cannot use ClickHouse at ${withoutSecret(url)}: ${answer.error.message}`);
  }
  const cluster = config.CLICKHOUSE_CLUSTER ? ` ON CLUSTER '${config.CLICKHOUSE_CLUSTER}'` : '';
  // Asked first: a user without the right to create databases may use one that an administrator made.
  const found = await boot.query({
    query: 'SELECT name FROM system.databases WHERE name = {name:String}',
    query_params: { name: config.CLICKHOUSE_DATABASE },
    format: 'JSONEachRow',
  });
  if ((await found.json()).length === 0) {
    await boot.command({ query: `CREATE DATABASE IF NOT EXISTS ${config.CLICKHOUSE_DATABASE}${cluster}` });
  }
  await boot.close();
  const client = connect(config.CLICKHOUSE_DATABASE);
  const all = new Sessions([client], false);
  const asideTimeoutMs = Math.max(config.CLICKHOUSE_TIMEOUT_MS, ASIDE_TIMEOUT_MS);
  const aside = new Sessions([connect(config.CLICKHOUSE_DATABASE, asideTimeoutMs)], false);
  return new Store(all, all, aside, config.CLICKHOUSE_CLUSTER ? 'cluster' : 'server');
}

async function openEmbedded(config: Config, dataFolder: string): Promise<Store> {
  const { createChdbConnection } = await (import(EMBEDDED_ENGINE) as Promise<EmbeddedEngine>).catch(() => {
    throw new ConfigError('CLICKHOUSE_URL: is not set, and the embedded engine (package chdb) is not installed');
  });
  orphanedTokens.inc(forgetOrphanedTokens(dataFolder));
  let databaseIsThere = false;
  const session = async () => {
    const client = createClient({ connection: createChdbConnection({ path: dataFolder }) } as never);
    if (!databaseIsThere)
      await client.command({ query: `CREATE DATABASE IF NOT EXISTS ${config.CLICKHOUSE_DATABASE}` });
    databaseIsThere = true;
    await client.command({ query: `USE ${config.CLICKHOUSE_DATABASE}` });
    await client.command({ query: `SET max_query_size = ${EMBEDDED_MAX_STATEMENT_BYTES}` });
    return client;
  };
  const sessions = async (count: number, maxWaiting?: number) => {
    const clients: ClickHouseClient[] = [];
    for (let i = 0; i < count; i++) clients.push(await session());
    return new Sessions(clients, true, maxWaiting);
  };
  const blocks = new BlockFiles(join(dataFolder, 'incoming_blocks'));
  const readers = () => sessions(EMBEDDED_READERS, MAX_WAITING_READS);
  return new Store(await sessions(1), await readers(), await sessions(1), 'embedded', blocks);
}
