import type { Redis } from '../../../ingest/redis.ts';
import type { AlertEvent } from '../alert.ts';
import { DELIVERY_PREFIX } from '../outbox.ts';
import { localDate } from './channel-clock.ts';
import type { RoutedChannel } from './channel-routing.ts';

/** Messages about anomalies that a channel gets in a day; the rest waits for its digest. */
export const KEY_BUDGET = 3;
export const ORGANIZATION_BUDGET = 10;

/** A day and the hours that a relay may come late. */
const KEEP_SECONDS = 4 * 24 * 60 * 60;

/**
 * Spends from both budgets, or from none. An event that was counted is not counted again.
 * KEYS: of the key, of the organization. ARGV: event id, both limits, seconds to keep. Returns '', 'key' or 'organization'.
 */
const SPEND = `
if redis.call('SISMEMBER', KEYS[1], ARGV[1]) == 1 then return '' end
if redis.call('SCARD', KEYS[1]) >= tonumber(ARGV[2]) then return 'key' end
if redis.call('SCARD', KEYS[2]) >= tonumber(ARGV[3]) then return 'organization' end
for _, key in ipairs(KEYS) do
  redis.call('SADD', key, ARGV[1])
  redis.call('EXPIRE', key, ARGV[4])
end
return ''
`;

/**
 * Counts an event against the budgets of its channel: per key and day, and per organization and day, also in a channel of the
 * platform. The day is the local day of the channel in which the event was recorded, so a repeat counts on the same day.
 * @returns the budget that is spent, in words; undefined when the event may be told
 */
export async function spendBudget(
  redis: Redis,
  event: AlertEvent,
  channel: RoutedChannel,
): Promise<string | undefined> {
  const day = localDate(Date.parse(event.recorded_at), channel.routing);
  const prefix = `${DELIVERY_PREFIX}:budget:${day}:${channel.channel_id}`;
  const keys = [`${prefix}:key:${event.key_id}`, `${prefix}:organization:${event.organization_id}`];
  const spent = await redis.eval(SPEND, 2, ...keys, event.event_id, KEY_BUDGET, ORGANIZATION_BUDGET, KEEP_SECONDS);
  if (spent === 'key') return `${KEY_BUDGET} messages about this key today`;
  return spent === 'organization' ? `${ORGANIZATION_BUDGET} messages about this organization today` : undefined;
}
