import type { KeyIndex } from './key-index.ts';
import { LruMap } from './lru-map.ts';
import type { ParsedRecord, RecordError, RequestRecord } from './record.ts';
import { redactPath, redactText } from './redact.ts';
import type { RouteLimit } from './route-limit.ts';
import { templateOf } from './route-template.ts';
import type { TokenGrant } from './token.ts';

/** Distinct texts whose redaction is remembered; traffic repeats itself. */
const CACHE_TEXTS = 50_000;
const FOREIGN_KEY = 'belongs to another organization or is outside this token';

export interface Accepted {
  records: RequestRecord[];
  errors: RecordError[];
}

/**
 * The last step before a record may leave the process: key hashes become key ids, keys the token may not
 * report on are refused, secrets are removed, paths become routes.
 */
export class Acceptance {
  readonly #keys: KeyIndex;
  readonly #routes: RouteLimit;
  readonly #paths = new LruMap<string, { path: string; template: string }>(CACHE_TEXTS);
  readonly #texts = new LruMap<string, string>(CACHE_TEXTS);

  constructor(keys: KeyIndex, routes: RouteLimit) {
    this.#keys = keys;
    this.#routes = routes;
  }

  async accept(parsed: readonly ParsedRecord[], grant: TokenGrant): Promise<Accepted> {
    await this.#resolveHashes(parsed);
    const mayReport = await this.#allowedKeys(parsed, grant);
    const accepted: Accepted = { records: [], errors: [] };
    for (const { index, record } of parsed) {
      if (mayReport && !mayReport.has(record.keyId)) {
        accepted.errors.push({ index, field: 'key_id', message: FOREIGN_KEY });
        continue;
      }
      this.#clean(record);
      accepted.records.push(record);
    }
    return accepted;
  }

  async #resolveHashes(parsed: readonly ParsedRecord[]): Promise<void> {
    const hashes = new Set<string>();
    for (const { keySha256 } of parsed) if (keySha256 !== '') hashes.add(keySha256);
    if (hashes.size === 0) return;
    const ids = await this.#keys.idsOf(hashes);
    for (const { record, keySha256 } of parsed) if (keySha256 !== '') record.keyId = ids.get(keySha256)!;
  }

  /** The keys the grant may report on; undefined = all. */
  async #allowedKeys(parsed: readonly ParsedRecord[], grant: TokenGrant): Promise<Set<string> | undefined> {
    if (grant.keyId !== '') return new Set([grant.keyId]);
    if (grant.organizationId === '') return undefined;
    return this.#keys.ownedBy(grant.organizationId, new Set(parsed.map(({ record }) => record.keyId)));
  }

  #clean(record: RequestRecord): void {
    const { path, template } = this.#cleanPath(record.path);
    record.path = path;
    const route = record.route === '' ? template : this.#cleanText(record.route);
    record.route = this.#routes.apply(record.keyId, record.method, route);
    record.userAgent = this.#cleanText(record.userAgent);
    record.error = this.#cleanText(record.error);
    record.service = this.#cleanText(record.service);
    record.environment = this.#cleanText(record.environment);
    if (record.requestId !== '') record.requestId = redactText(record.requestId);
  }

  #cleanPath(raw: string): { path: string; template: string } {
    let clean = this.#paths.get(raw);
    if (!clean) {
      const path = raw === '' ? '' : redactPath(raw);
      clean = { path, template: path === '' ? '' : templateOf(path) };
      this.#paths.set(raw, clean);
    }
    return clean;
  }

  #cleanText(raw: string): string {
    if (raw === '') return '';
    let clean = this.#texts.get(raw);
    if (clean === undefined) this.#texts.set(raw, (clean = redactText(raw)));
    return clean;
  }
}
