import { z } from 'zod';
import type { TokenGrant } from '../ingest/token.ts';
import type { Change } from '../workers/keys/change.ts';
import type { RegisteredKey } from '../workers/keys/key.ts';
import { type Plan, Plans } from '../workers/keys/plans.ts';
import { CHANGE_CHUNK, KeyConflict, type Updated } from '../workers/keys/registry.ts';
import { USED_BY } from '../workers/keys/used-by.ts';
import type { ImportedRow } from './import-rows.ts';
import { faultOf, fieldsOf, isForeign, withOwner } from './key-changes.ts';
import type { ApiParts } from './route.ts';
import { KeyBody } from './schemas.ts';

/** Rows of one import. */
export const MAX_IMPORT_ROWS = 200_000;
/** Errors that are told one by one; the rest is a number. */
const MAX_ERRORS = 1_000;

const MAX_ATTEMPTS = 3;

/** One row of an import. */
export const ImportBody = KeyBody.extend({ key_id: z.string().min(1).max(200) });

export interface RowError {
  row: number;
  key_id: string | null;
  field: string;
  message: string;
}

export interface ImportResult {
  rows: number;
  created: number;
  updated: number;
  /** The key was as the row says. */
  unchanged: number;
  rejected: number;
  /** The first {@link MAX_ERRORS}. */
  errors: RowError[];
}

interface GoodRow {
  row: number;
  keyId: string;
  fields: Partial<RegisteredKey>;
}

/** Takes the rows of an import: bad rows are named with their number, good rows are kept, a thousand per insert. */
export class KeyImport {
  readonly #parts: ApiParts;
  readonly #grant: TokenGrant;
  readonly #seen = new Set<string>();
  readonly result: ImportResult = { rows: 0, created: 0, updated: 0, unchanged: 0, rejected: 0, errors: [] };
  #chunk: GoodRow[] = [];
  #plans: Plan[] = [];

  constructor(parts: ApiParts, grant: TokenGrant) {
    this.#parts = parts;
    this.#grant = grant;
  }

  async run(rows: Iterable<ImportedRow>): Promise<ImportResult> {
    this.#plans = await new Plans(this.#parts.store).list();
    for (const imported of rows) {
      if (this.result.rows === MAX_IMPORT_ROWS) {
        this.#reject(
          imported.row,
          null,
          'row',
          `an import has at most ${MAX_IMPORT_ROWS} rows; this and all after it were left out`,
        );
        break;
      }
      this.result.rows++;
      const good = this.#check(imported);
      if (good) this.#chunk.push(good);
      if (this.#chunk.length === CHANGE_CHUNK) await this.#flush();
    }
    await this.#flush();
    this.result.errors.sort((one, other) => one.row - other.row);
    return this.result;
  }

  #reject(row: number, keyId: string | null, field: string, message: string): undefined {
    this.result.rejected++;
    if (this.result.errors.length < MAX_ERRORS) this.result.errors.push({ row, key_id: keyId, field, message });
    return undefined;
  }

  #check(imported: ImportedRow): GoodRow | undefined {
    const { row } = imported;
    if ('error' in imported) return this.#reject(row, null, 'row', imported.error);
    const parsed = ImportBody.safeParse(imported.value);
    const named = imported.value.key_id;
    const keyId = typeof named === 'string' ? named.slice(0, 200) : null;
    if (!parsed.success) {
      const issue = parsed.error.issues[0]!;
      return this.#reject(row, keyId, issue.path.join('.') || 'row', issue.message.slice(0, 500));
    }
    const { key_id, ...body } = parsed.data;
    if (this.#seen.has(key_id)) return this.#reject(row, key_id, 'key_id', 'stands in an earlier row of this import');
    this.#seen.add(key_id);
    const { organizationId } = this.#grant;
    if (organizationId !== '' && body.organization_id !== undefined && body.organization_id !== organizationId) {
      return this.#reject(row, key_id, 'organization_id', 'the token is bound to another organization');
    }
    return { row, keyId: key_id, fields: fieldsOf(body, this.#grant) };
  }

  async #flush(): Promise<void> {
    const chunk = new Map(this.#chunk.map((good) => [good.keyId, good]));
    this.#chunk = [];
    if (chunk.size === 0) return;
    const users = await this.#usersOf([...chunk.keys()]);
    const { updated, refused } = await this.#change(chunk, users, MAX_ATTEMPTS);
    for (const [keyId, { field, message }] of refused) this.#reject(chunk.get(keyId)!.row, keyId, field, message);
    for (const { before, after, changed } of updated) {
      if (!refused.has(after.key_id)) this.result[changed ? (before ? 'updated' : 'created') : 'unchanged']++;
    }
  }

  /** A chunk that lost its locks because the store was slow wrote nothing, and is tried again. */
  async #change(
    chunk: ReadonlyMap<string, GoodRow>,
    users: ReadonlyMap<string, string>,
    attempts: number,
  ): Promise<{ updated: Updated[]; refused: Map<string, { field: string; message: string }> }> {
    const refused = new Map<string, { field: string; message: string }>();
    try {
      const { updated, conflicts } = await this.#parts.registry.updateMany([...chunk.keys()], (present) => {
        const fields = withOwner(present, chunk.get(present.key_id)!.fields, users.get(present.key_id) ?? '');
        const fault = this.#foreignFault(present, users) ?? faultOf(present, fields, this.#plans);
        if (!fault) return changeTo(present, fields, this.#grant);
        refused.set(present.key_id, fault);
        return undefined;
      });
      for (const [keyId, conflict] of conflicts) refused.set(keyId, conflict);
      return { updated, refused };
    } catch (error) {
      if (!(error instanceof KeyConflict) || attempts <= 1) throw error;
      return this.#change(chunk, users, attempts - 1);
    }
  }

  #foreignFault(present: RegisteredKey, users: ReadonlyMap<string, string>) {
    const { organizationId } = this.#grant;
    const user = users.get(present.key_id);
    const taken = organizationId !== '' && present.version === 0 && user !== undefined && user !== organizationId;
    if (!taken && !isForeign(present, this.#grant)) return undefined;
    return { field: 'key_id', message: 'there is no such key, or the token may not see it' };
  }

  /**
   * Organizations that use keys. An organization cannot claim a key that others use, because it would then read their traffic. A key it
   * already uses stays its own.
   */
  async #usersOf(keyIds: string[]): Promise<Map<string, string>> {
    const rows = await this.#parts.store.query<{ key_id: string; user: string }>(
      `SELECT key_id, ${USED_BY} AS user FROM key_totals
       WHERE key_id IN {key_ids:Array(String)} GROUP BY key_id`,
      { key_ids: keyIds },
    );
    return new Map(rows.map((row) => [row.key_id, row.user]));
  }
}

/** An import that is repeated changes nothing. */
function changeTo(present: RegisteredKey, fields: Partial<RegisteredKey>, grant: TokenGrant): Change | undefined {
  const isNew = present.version === 0 || present.deleted;
  const same = Object.entries(fields).every(
    ([name, value]) => JSON.stringify(value) === JSON.stringify(present[name as keyof RegisteredKey]),
  );
  if (same && !isNew) return undefined;
  return { fields, action: isNew ? 'key.registered' : 'key.updated', actor: grant.id, reason: 'import' };
}
