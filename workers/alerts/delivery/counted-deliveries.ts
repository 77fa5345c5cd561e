import type { Store } from '../../clickhouse/store.ts';
import type { Counted } from './budgets.ts';
import { localDate } from './channel-clock.ts';
import type { RoutedChannel } from './channel-routing.ts';
import { type Delivery, readAlertEvents } from './deliveries.ts';
import { DROPPED_LATE, isBudgeted } from './standing.ts';

/** Deliveries of a channel that are looked at, newest first: with many organizations most of a day's budgets are found in these. */
const MAX_ROWS = 50_000;
const CHUNK = 1_000;

/**
 * What a channel was told on one of its days that budgets count, from `deliveries`: all that left, waits or failed, and what was
 * dropped after it was counted; not what went into a digest.
 * @param day local date of the channel
 */
export async function countedDeliveries(store: Store, channel: RoutedChannel, day: string): Promise<Counted[]> {
  // Zones reach from 12 hours behind to 14 hours ahead; a relay routes what was recorded up to three days ago.
  const sinceMs = Date.parse(day) - 14 * 3_600_000;
  const rows = await store.queryWriter<Pick<Delivery, 'event_id' | 'alert_key'>>(
    `SELECT event_id, alert_key FROM deliveries FINAL
     WHERE channel_id = {channel_id:String} AND created_at >= fromUnixTimestamp64Milli({since:Int64}) AND alert_key != '' AND notify NOT IN ('', 'resolved')
       AND (status IN ('waiting', 'retrying', 'held', 'sent', 'failed') OR reason IN {dropped_late:Array(String)}) AND NOT startsWith(message_id, 'dig_')
     ORDER BY created_at DESC LIMIT ${MAX_ROWS}`,
    { channel_id: channel.channel_id, since: sinceMs, dropped_late: DROPPED_LATE },
  );
  const counted: Counted[] = [];
  for (let at = 0; at < rows.length; at += CHUNK) {
    const events = await readAlertEvents(store, rows.slice(at, at + CHUNK));
    for (const event of events.values()) {
      if (isBudgeted(event, channel) && localDate(Date.parse(event.recorded_at), channel.routing) === day)
        counted.push(event);
    }
  }
  return counted.map(({ event_id, key_id, organization_id }) => ({ event_id, key_id, organization_id }));
}
