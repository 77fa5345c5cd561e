import type { Store } from '../../workers/clickhouse/store.ts';
import { latelyTotals, registryRows, trafficTotals } from '../../workers/keys/key-directory.ts';
import type { KeyRow } from './keys.ts';

/** A key as the list has it; the list's own value for sorting aside. */
export type OneKey = Omit<KeyRow, 'sort_value'>;

type FiguresOfKey = Pick<
  OneKey,
  'has_traffic' | 'tracking_since' | 'last_used' | 'total_requests' | 'requests_30d' | 'error_rate_30d'
>;
interface RegistryRow extends Omit<OneKey, keyof FiguresOfKey> {
  deleted: number;
  registered_at: string;
}
interface TrafficRow {
  seen_by: string;
  total: number;
  since: string;
  last: OneKey['last_used'];
}
interface LatelyRow {
  requests: number;
  errors: number;
}

const NEVER = '1970-01-01T00:00:00.000Z';
/** Of a key that nobody registered. */
const UNREGISTERED: Omit<RegistryRow, 'key_id' | 'organization_id'> = {
  ...{ customer_id: '', name: '', description: '', prefix: '', kind: '', environment: '', scopes: [], permissions: '' },
  ...{ plan: '', limit_per_minute: null, limit_per_day: null, limit_per_month: null, limit_burst: null },
  ...{ owner_name: '', owner_email: '', created_at: NEVER, expires_at: null, rotated_at: null, successor_key_id: '' },
  ...{ status: '', status_reason: '', status_changed_at: null, leaked_at: null, version: 0 },
  ...{ deleted: 0, registered_at: NEVER },
};
const UNUSED: OneKey['last_used'] = { at: NEVER, country: '', method: '', route: '', status: 0 };

/**
 * One key with its four figures, from three small statements. The directory's one, which joins them for any number of keys, costs twice
 * as much of the engine as the three together, most of it before a row is read (docs/benchmarks.md).
 * @returns undefined when nobody registered it and nothing was heard of it
 */
export async function readKey(store: Store, keyId: string, nowMs: number): Promise<OneKey | undefined> {
  const isIt = 'key_id = {key_id:String}';
  const of = { key_id: keyId };
  const [[registered], [traffic], [lately]] = await Promise.all([
    store.query<RegistryRow>(registryRows(isIt), of),
    store.query<TrafficRow>(trafficTotals(isIt), of),
    store.query<LatelyRow>(latelyTotals(isIt, nowMs), of),
  ]);
  return keyId === '' ? undefined : keyOf(keyId, registered, traffic, lately);
}

/** The rules of the directory (`figures` in key-directory.ts) for one key. Pure. */
function keyOf(
  keyId: string,
  registered: RegistryRow | undefined,
  traffic: TrafficRow | undefined,
  lately: LatelyRow | undefined,
): OneKey | undefined {
  if (!registered && !traffic) return undefined;
  const { deleted, registered_at, ...row } = registered ?? {
    ...UNREGISTERED,
    key_id: keyId,
    organization_id: traffic!.seen_by,
  };
  const { requests, errors } = lately ?? { requests: 0, errors: 0 };
  return {
    ...row,
    status: registered ? (deleted ? 'deleted' : row.status) : 'discovered',
    has_traffic: traffic && traffic.total > 0 ? 1 : 0,
    tracking_since: trackingSince(registered && registered_at, traffic),
    last_used: traffic?.last ?? UNUSED,
    total_requests: traffic?.total ?? 0,
    requests_30d: requests,
    error_rate_30d: requests === 0 ? 0 : errors / requests,
  };
}

/** The earlier of the two; times of one form compare as texts. */
function trackingSince(registeredAt: string | undefined, traffic: TrafficRow | undefined): string {
  if (registeredAt === undefined) return traffic!.since;
  return traffic && traffic.total > 0 && traffic.since < registeredAt ? traffic.since : registeredAt;
}
