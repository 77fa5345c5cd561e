import { NO_KEY } from './formats/format.ts';
import type { KeyIndex } from './key-index.ts';
import type { ParsedRecord, RecordError, RequestRecord } from './record.ts';
import type { TokenGrant } from './token.ts';

const FOREIGN_KEY = 'belongs to another organization or is outside this token';

export interface Accepted {
  records: RequestRecord[];
  errors: RecordError[];
}

/** Decides which keys records belong to, and whether the token may report on them. */
export class Acceptance {
  readonly #keys: KeyIndex;

  constructor(keys: KeyIndex) {
    this.#keys = keys;
  }

  async accept(parsed: readonly ParsedRecord[], grant: TokenGrant): Promise<Accepted> {
    await this.#resolveHashes(parsed);
    if (grant.organizationId !== '') nameKeyless(parsed, grant.organizationId);
    const mayReport = await this.#allowedKeys(parsed, grant);
    const accepted: Accepted = { records: [], errors: [] };
    for (const { index, record } of parsed) {
      if (!mayReport || mayReport.has(record.keyId)) accepted.records.push(record);
      else accepted.errors.push({ index, field: 'key_id', message: FOREIGN_KEY });
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
}

/** Requests without a key are counted per organization: one name for all would belong to the first that used it. */
function nameKeyless(parsed: readonly ParsedRecord[], organizationId: string): void {
  for (const { record } of parsed) if (record.keyId === NO_KEY) record.keyId = `${NO_KEY} ${organizationId}`;
}
