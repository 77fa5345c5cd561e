import type { Store } from '../../workers/clickhouse/store.ts';

/** A key that gateways must refuse. */
export interface DeniedKey {
  key_id: string;
  /** '' = not known. */
  sha256: string;
  status: 'inactive' | 'expired' | 'deleted';
}

/** Whose denied keys are asked for. Empty = any. */
export interface DeniedScope {
  organizationId: string;
  keyId: string;
}

/** A deleted key gives its hash up: another key may have it by now, and that one must not be refused. */
const GIVEN_UP = `deleted AND sha256 IN (
         SELECT sha256 FROM keys FINAL
         WHERE NOT deleted AND sha256 != '' AND sha256 IN (SELECT sha256 FROM keys WHERE deleted AND sha256 != ''))`;

/** @param anyGivenUp whether any deleted key has a hash; looking for others that have it reads all hashes */
const denied = (anyGivenUp: boolean) => `
  SELECT key_id, multiIf(deleted, 'deleted', status) AS status, if(${anyGivenUp ? GIVEN_UP : '0'}, '', sha256) AS sha256
  FROM keys FINAL
  WHERE (deleted OR keys.status != 'active')
    AND ({organization_id:String} = '' OR organization_id = {organization_id:String})
    AND ({key_id:String} = '' OR key_id = {key_id:String})`;

async function deniedSql(store: Store): Promise<string> {
  return denied((await store.query("SELECT 1 FROM keys WHERE deleted AND sha256 != '' LIMIT 1")).length > 0);
}

/** Changes whenever any key does: every change writes a row with a time and a version of its own. A merge alone may change it, too. */
export async function registryMark(store: Store): Promise<string> {
  const [row] = await store.query<Record<string, number>>(
    'SELECT count() AS keys, sum(version) AS versions, max(toUnixTimestamp64Milli(updated_at)) AS newest FROM keys',
  );
  return Object.values(row!).join('-');
}

const paramsOf = (scope: DeniedScope) => ({ organization_id: scope.organizationId, key_id: scope.keyId });

/** Changes whenever the list does. */
export async function deniedDigest(store: Store, scope: DeniedScope): Promise<string> {
  const [row] = await store.query<{ n: number; digest: string }>(
    `SELECT count() AS n, hex(sum(cityHash64(key_id, sha256, status))) AS digest FROM (${await deniedSql(store)})`,
    paramsOf(scope),
  );
  return `${row!.n}-${row!.digest}`;
}

/** Denied keys after `after`, by id. */
export async function deniedKeys(store: Store, scope: DeniedScope, after: string, limit: number): Promise<DeniedKey[]> {
  return store.query<DeniedKey>(
    `SELECT key_id, sha256, status FROM (${await deniedSql(store)}) WHERE key_id > {after:String} ORDER BY key_id LIMIT {limit:UInt32}`,
    { ...paramsOf(scope), after, limit },
  );
}
