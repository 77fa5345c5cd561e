import type { Redis } from '../../../ingest/redis.ts';
import type { AlertEvent } from '../alert.ts';
import { DELIVERY_PREFIX } from '../outbox.ts';
import { localDate } from './channel-clock.ts';
import type { RoutedChannel } from './channel-routing.ts';

/** Messages about anomalies that a channel gets in a day; the rest waits for its digest. */
const KEY_BUDGET = 3;
const ORGANIZATION_BUDGET = 10;

/** A day and the hours that a relay may come late. */
const KEEP_SECONDS = 4 * 24 * 60 * 60;

/**
 * Spends from both budgets, or from none. An event that was counted is not counted again.
 * KEYS: of the key, of the organization, of what says that the day is counted. ARGV: event id, both limits, seconds to keep.
 * Returns '', 'key', 'organization', or 'unknown' where the day has no count yet.
 */
const SPEND = `
if redis.call('EXISTS', KEYS[3]) == 0 then return 'unknown' end
if redis.call('SISMEMBER', KEYS[1], ARGV[1]) == 1 then return '' end
if redis.call('SCARD', KEYS[1]) >= tonumber(ARGV[2]) then return 'key' end
if redis.call('SCARD', KEYS[2]) >= tonumber(ARGV[3]) then return 'organization' end
for n = 1, 2 do
  redis.call('SADD', KEYS[n], ARGV[1])
  redis.call('EXPIRE', KEYS[n], ARGV[4])
end
return ''
`;

/** An event that was told, as budgets count it. */
export type Counted = Pick<AlertEvent, 'event_id' | 'key_id' | 'organization_id'>;

/** Reads what a channel was told on a day, from what was written down. */
export type ReadCounted = (channel: RoutedChannel, day: string) => Promise<Counted[]>;

/**
 * Counts an event against the budgets of its channel: per key and day, and per organization and day, also in a channel of the
 * platform. The day is the local day of the channel in which the event was recorded, so a repeat counts on the same day. Redis
 * counts; the first event of a day, and the first after Redis was lost, begins with what is written down.
 * @returns the budget that is spent, in words; undefined when the event may be told
 */
export async function spendBudget(
  { redis, readCounted }: { redis: Redis; readCounted: ReadCounted },
  event: AlertEvent,
  channel: RoutedChannel,
): Promise<string | undefined> {
  const day = localDate(Date.parse(event.recorded_at), channel.routing);
  const prefix = `${DELIVERY_PREFIX}:budget:${day}:${channel.channel_id}`;
  const spend = () => {
    const keys = [...budgetKeys(prefix, event), `${prefix}:counted`];
    return redis.eval(SPEND, 3, ...keys, event.event_id, KEY_BUDGET, ORGANIZATION_BUDGET, KEEP_SECONDS);
  };
  let spent = await spend();
  if (spent === 'unknown') {
    await rebuild(redis, prefix, await readCounted(channel, day));
    spent = await spend();
  }
  if (spent === 'key') return `${KEY_BUDGET} messages about this key today`;
  return spent === 'organization' ? `${ORGANIZATION_BUDGET} messages about this organization today` : undefined;
}

const budgetKeys = (prefix: string, { key_id, organization_id }: Counted): string[] => [
  `${prefix}:key:${key_id}`,
  `${prefix}:organization:${organization_id}`,
];

/** Sets take an event twice without counting it twice: two processes may rebuild the same day at once. */
async function rebuild(redis: Redis, prefix: string, counted: readonly Counted[]): Promise<void> {
  const pipeline = redis.pipeline();
  for (const one of counted) {
    for (const key of budgetKeys(prefix, one)) pipeline.sadd(key, one.event_id).expire(key, KEEP_SECONDS);
  }
  await pipeline.exec();
  await redis.set(`${prefix}:counted`, String(counted.length), 'EX', KEEP_SECONDS);
}
