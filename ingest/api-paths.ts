import type { Logger } from './logger.ts';
import { OpenApiPaths } from './open-api-paths.ts';
import type { Redis } from './redis.ts';

/** Redis hash: organization and name of an API description → its paths as JSON. Written by workers/api-descriptions.ts. */
export const API_DESCRIPTIONS_KEY = '{keytally}:api-descriptions';
/** Counts changes of the hash, so that collectors fetch it only then. */
export const API_DESCRIPTIONS_VERSION = '{keytally}:api-descriptions:version';

const POLL_MS = 5_000;

/** Field of the hash. A line feed cannot stand in either name. */
export function descriptionField(organizationId: string, name: string): string {
  return `${organizationId}\n${name}`;
}

/** Templates of imported OpenAPI documents, as the collector knows them: at most {@link POLL_MS} old. */
export class ApiPaths {
  readonly #redis: Redis;
  readonly #log: Logger;
  readonly #timer: NodeJS.Timeout;
  #version = '';
  #byOrganization = new Map<string, OpenApiPaths[]>();

  constructor(redis: Redis, log: Logger) {
    this.#redis = redis;
    this.#log = log;
    this.#timer = setInterval(() => void this.refresh(), POLL_MS);
    this.#timer.unref();
  }

  /** The template of a path; '' when no description of the organization or of the platform has it. */
  match(organizationId: string, method: string, path: string): string {
    if (this.#byOrganization.size === 0) return '';
    const own = organizationId === '' ? [] : (this.#byOrganization.get(organizationId) ?? []);
    for (const description of [...own, ...(this.#byOrganization.get('') ?? [])]) {
      const template = description.match(method, path);
      if (template !== '') return template;
    }
    return '';
  }

  async refresh(): Promise<void> {
    try {
      const version = (await this.#redis.get(API_DESCRIPTIONS_VERSION)) ?? '';
      if (version === this.#version) return;
      const compiled = new Map<string, OpenApiPaths[]>();
      for (const [field, json] of Object.entries(await this.#redis.hgetall(API_DESCRIPTIONS_KEY))) {
        const organizationId = field.slice(0, field.indexOf('\n'));
        compiled.set(organizationId, [...(compiled.get(organizationId) ?? []), new OpenApiPaths(JSON.parse(json))]);
      }
      this.#byOrganization = compiled;
      this.#version = version;
    } catch (error) {
      this.#log.warn({ err: error }, 'API descriptions could not be read; the ones known stay in use');
    }
  }

  close(): void {
    clearInterval(this.#timer);
  }
}
