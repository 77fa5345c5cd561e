import type { TextColumn } from './column.ts';
import { NO_KEY } from './formats/format.ts';
import type { KeyIndex } from './key-index.ts';
import type { ParsedRecords } from './parsed-records.ts';
import type { RecordError } from './record.ts';
import type { TokenGrant } from './token.ts';

const FOREIGN_KEY = 'belongs to another organization or is outside this token';

/** Decides which keys records belong to, and whether the token may report on them. */
export class Acceptance {
  readonly #keys: KeyIndex;

  constructor(keys: KeyIndex) {
    this.#keys = keys;
  }

  /** Names the keys of the records and drops those that the token may not report on, which it returns as errors. */
  async accept(records: ParsedRecords, grant: TokenGrant): Promise<RecordError[]> {
    await this.#resolveHashes(records);
    const { keyId } = records;
    if (grant.organizationId !== '') nameKeyless(keyId.values, grant.organizationId);
    const mayReport = await this.#allowedKeys(records, grant);
    if (!mayReport) return [];
    const isAllowed = keyId.values.map((id) => mayReport.has(id));
    const foreign = records.keep((row) => isAllowed[keyId.codes[row]!]!);
    return foreign.map((index) => ({ index, field: 'key_id', message: FOREIGN_KEY }));
  }

  async #resolveHashes({ rows, keyId, keySha256 }: ParsedRecords): Promise<void> {
    const hashes = new Set(usedValues(keySha256, rows));
    hashes.delete('');
    if (hashes.size === 0) return;
    const ids = await this.#keys.idsOf(hashes);
    for (let row = 0; row < rows; row++) {
      const hash = keySha256.at(row);
      if (hash !== '') keyId.set(row, ids.get(hash)!);
    }
  }

  /** The keys the grant may report on; undefined = all. */
  async #allowedKeys({ rows, keyId }: ParsedRecords, grant: TokenGrant): Promise<Set<string> | undefined> {
    if (grant.keyId !== '') return new Set([grant.keyId]);
    if (grant.organizationId === '') return undefined;
    return this.#keys.ownedBy(grant.organizationId, new Set(usedValues(keyId, rows)));
  }
}

/** Requests without a key are counted per organization: one name for all would belong to the first that used it. */
function nameKeyless(keyIds: string[], organizationId: string): void {
  for (const [code, id] of keyIds.entries()) if (id === NO_KEY) keyIds[code] = `${NO_KEY} ${organizationId}`;
}

function usedValues({ values, codes }: TextColumn, rows: number): string[] {
  const used = new Uint8Array(values.length);
  for (let row = 0; row < rows; row++) used[codes[row]!] = 1;
  return values.filter((_, code) => used[code] === 1);
}
