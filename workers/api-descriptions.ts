import { API_DESCRIPTIONS_KEY, API_DESCRIPTIONS_VERSION, descriptionField } from '../ingest/api-paths.ts';
import { type Endpoint, OpenApiPaths } from '../ingest/open-api-paths.ts';
import type { Redis } from '../ingest/redis.ts';
import type { Store } from './clickhouse/store.ts';
import { versionAfter } from './row-version.ts';

export interface ApiDescription {
  organizationId: string;
  name: string;
  endpoints: readonly Endpoint[];
  updatedAt: string;
}

interface DescriptionRow {
  organization_id: string;
  name: string;
  document: string;
  updated_at: string;
}

/** Of a rebuild that others write beside; the next one goes on. */
const MAX_LOOKS = 3;

const PRESENT = 'SELECT organization_id, name, document, updated_at FROM api_descriptions FINAL WHERE NOT deleted';

/** Imported OpenAPI documents, one per organization and name: ClickHouse keeps them, Redis serves them to the edge. */
export class ApiDescriptions {
  readonly #store: Store;
  readonly #redis: Redis;

  constructor(store: Store, redis: Redis) {
    this.#store = store;
    this.#redis = redis;
  }

  /** Stores what routes need of a document; @returns its endpoints, empty when it holds none (nothing is stored then) */
  async put(organizationId: string, name: string, document: unknown): Promise<readonly Endpoint[]> {
    const { endpoints } = new OpenApiPaths(document);
    if (endpoints.length === 0) return [];
    const json = JSON.stringify(pathsOnly(document as Record<string, unknown>, endpoints));
    await this.#write(organizationId, name, json, false);
    await this.#redis.hset(API_DESCRIPTIONS_KEY, descriptionField(organizationId, name), json);
    await this.#redis.incr(API_DESCRIPTIONS_VERSION);
    return endpoints;
  }

  /** @returns what was forgotten; undefined when there was none of that name */
  async remove(organizationId: string, name: string): Promise<ApiDescription | undefined> {
    const known = (await this.list(organizationId)).find((entry) => entry.name === name);
    if (!known) return undefined;
    await this.#write(organizationId, name, '{}', true);
    await this.#redis.hdel(API_DESCRIPTIONS_KEY, descriptionField(organizationId, name));
    await this.#redis.incr(API_DESCRIPTIONS_VERSION);
    return known;
  }

  async list(organizationId: string): Promise<ApiDescription[]> {
    const rows = await this.#store.queryWriter<DescriptionRow>(
      `${PRESENT} AND organization_id = {organization_id:String} ORDER BY name`,
      { organization_id: organizationId },
    );
    return rows.map((row) => ({
      organizationId: row.organization_id,
      name: row.name,
      endpoints: new OpenApiPaths(JSON.parse(row.document)).endpoints,
      updatedAt: row.updated_at,
    }));
  }

  /**
   * Brings Redis in line with ClickHouse. A writer stores a document first and tells Redis after it; what it does beside the own writes is met by
   * another look, so one of the two comes last with what is true.
   * @returns documents that Redis lacked or had otherwise
   */
  async rebuildIndex(): Promise<number> {
    let mended = 0;
    for (let look = 0; look < MAX_LOOKS; look++) {
      const wrong = await this.#mend();
      if (wrong === 0) break;
      mended += wrong;
    }
    if (mended > 0) await this.#redis.incr(API_DESCRIPTIONS_VERSION);
    return mended;
  }

  async #mend(): Promise<number> {
    const rows = await this.#store.queryWriter<DescriptionRow & { deleted: boolean }>(
      'SELECT organization_id, name, document, updated_at, deleted FROM api_descriptions FINAL',
    );
    let wrong = 0;
    for (const row of rows) {
      const field = descriptionField(row.organization_id, row.name);
      const wanted = row.deleted ? null : row.document;
      if ((await this.#redis.hget(API_DESCRIPTIONS_KEY, field)) === wanted) continue;
      if (wanted === null) await this.#redis.hdel(API_DESCRIPTIONS_KEY, field);
      else await this.#redis.hset(API_DESCRIPTIONS_KEY, field, wanted);
      wrong++;
    }
    return wrong;
  }

  async #write(organizationId: string, name: string, document: string, deleted: boolean): Promise<void> {
    const [row] = await this.#store.queryWriter<{ previous: number }>(
      `SELECT max(version) AS previous FROM api_descriptions
       WHERE organization_id = {organization_id:String} AND name = {name:String}`,
      { organization_id: organizationId, name },
    );
    await this.#store.insertRows('api_descriptions', [
      {
        organization_id: organizationId,
        name,
        document,
        deleted,
        version: versionAfter(row!.previous),
        updated_at: new Date().toISOString(),
      },
    ]);
  }
}

/** Descriptions, examples and schemas are none of our business, and may be large or secret. */
function pathsOnly(document: Record<string, unknown>, endpoints: readonly Endpoint[]): object {
  const paths: Record<string, Record<string, object>> = {};
  for (const { method, template } of endpoints) paths[template] = { ...paths[template], [method.toLowerCase()]: {} };
  const servers = Array.isArray(document.servers)
    ? document.servers.map((server) => ({ url: String(server?.url ?? '') }))
    : [];
  return { paths, servers, ...(typeof document.basePath === 'string' ? { basePath: document.basePath } : {}) };
}
