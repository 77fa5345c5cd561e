import type { Store } from '../../clickhouse/store.ts';
import type { Delivery, DeliveryStatus } from './deliveries.ts';

export interface DeliveryFilter {
  channelId?: string | undefined;
  keyId?: string | undefined;
  status?: DeliveryStatus | undefined;
  sinceMs?: number | undefined;
  /** Only what channels of this organization were told, or what no channel heard of it; '' = everything. */
  organizationId: string;
}

/** Position behind the last delivery of a page. */
export interface DeliveryCursor {
  atMs: number;
  id: string;
}

/** Deliveries, newest first. */
export async function listDeliveries(
  store: Store,
  filter: DeliveryFilter,
  after: DeliveryCursor | undefined,
  limit: number,
): Promise<Delivery[]> {
  const conditions = ['created_at >= fromUnixTimestamp64Milli({since:Int64})'];
  if (filter.channelId !== undefined) conditions.push('channel_id = {channel_id:String}');
  if (filter.keyId !== undefined) conditions.push('key_id = {key_id:String}');
  if (filter.status !== undefined) conditions.push('status = {status:String}');
  if (filter.organizationId !== '') {
    conditions.push(`organization_id = {organization_id:String} AND (channel_id = '' OR channel_id IN
      (SELECT channel_id FROM channels FINAL WHERE organization_id = {organization_id:String}))`);
  }
  if (after) {
    conditions.push('(toUnixTimestamp64Milli(created_at), delivery_id) < ({after_ms:Int64}, {after_id:String})');
  }
  return store.query<Delivery>(
    `SELECT * FROM deliveries FINAL WHERE ${conditions.join(' AND ')}
     ORDER BY created_at DESC, delivery_id DESC LIMIT {limit:UInt32}`,
    {
      since: filter.sinceMs ?? 0,
      channel_id: filter.channelId ?? '',
      key_id: filter.keyId ?? '',
      status: filter.status ?? '',
      organization_id: filter.organizationId,
      after_ms: after?.atMs ?? 0,
      after_id: after?.id ?? '',
      limit,
    },
  );
}

export async function findDelivery(store: Store, deliveryId: string): Promise<Delivery | undefined> {
  const [row] = await store.query<Delivery>('SELECT * FROM deliveries FINAL WHERE delivery_id = {delivery_id:String}', {
    delivery_id: deliveryId,
  });
  return row;
}
