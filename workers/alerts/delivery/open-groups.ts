import type { Redis } from '../../../ingest/redis.ts';
import { DELIVERY_PREFIX } from '../outbox.ts';

/** A message holds this many alerts at most; the next one opens another message. */
const MAX_MEMBERS = 100;
/** Longer than any message is tried: a repeat finds the message it joined. */
const KEEP_SECONDS = 5 * 24 * 60 * 60;

/**
 * Joins the message that its group has open, or opens one. A delivery that joined before finds its message again, so a repeat
 * after a crash never lands in a second one.
 * KEYS: joined, open. ARGV: prefix, delivery id, id of a new message, due in epoch ms, members at most, seconds to keep.
 */
const JOIN = `
local joined = redis.call('GET', KEYS[1])
if joined then
  return { joined, redis.call('HGET', ARGV[1] .. 'message:' .. joined, 'due') or ARGV[4] }
end
local message = redis.call('GET', KEYS[2])
if not message or redis.call('SCARD', ARGV[1] .. 'members:' .. message) >= tonumber(ARGV[5]) then
  message = ARGV[3]
  redis.call('SET', KEYS[2], message, 'EX', ARGV[6])
  redis.call('HSET', ARGV[1] .. 'message:' .. message, 'due', ARGV[4], 'open', KEYS[2])
  redis.call('EXPIRE', ARGV[1] .. 'message:' .. message, ARGV[6])
end
redis.call('SADD', ARGV[1] .. 'members:' .. message, ARGV[2])
redis.call('EXPIRE', ARGV[1] .. 'members:' .. message, ARGV[6])
redis.call('SET', KEYS[1], message, 'EX', ARGV[6])
return { message, redis.call('HGET', ARGV[1] .. 'message:' .. message, 'due') }
`;

/** Nobody joins the message any more. KEYS: members, message. ARGV: message id. Returns its members, however often it is closed. */
const CLOSE = `
local open = redis.call('HGET', KEYS[2], 'open')
if open and redis.call('GET', open) == ARGV[1] then redis.call('DEL', open) end
return redis.call('SMEMBERS', KEYS[1])
`;

const PREFIX = `${DELIVERY_PREFIX}:group:`;

/** Messages that still take members. All keys carry one hash tag, so the scripts run on a cluster. */
export class OpenGroups {
  readonly #redis: Redis;

  constructor(redis: Redis) {
    this.#redis = redis;
  }

  /** @param dueMs when the message leaves, if this delivery opens it */
  async join(
    group: string,
    deliveryId: string,
    newMessageId: string,
    dueMs: number,
  ): Promise<{ messageId: string; dueMs: number }> {
    const keys = [`${PREFIX}joined:${deliveryId}`, `${PREFIX}open:${group}`];
    const args = [PREFIX, deliveryId, newMessageId, String(Math.round(dueMs)), MAX_MEMBERS, KEEP_SECONDS];
    const [messageId, due] = (await this.#redis.eval(JOIN, 2, ...keys, ...args)) as [string, string];
    return { messageId, dueMs: Number(due) };
  }

  /** Messages that deliveries joined; those that joined none are absent. */
  async joinedMessages(deliveryIds: readonly string[]): Promise<Map<string, string>> {
    if (deliveryIds.length === 0) return new Map();
    const pipeline = this.#redis.pipeline();
    for (const id of deliveryIds) pipeline.get(`${PREFIX}joined:${id}`);
    const answers = (await pipeline.exec()) ?? [];
    return new Map(
      deliveryIds.flatMap((id, at): [string, string][] => {
        const messageId = answers[at]?.[1];
        return typeof messageId === 'string' ? [[id, messageId]] : [];
      }),
    );
  }

  /** Closes a message and tells who joined it. */
  async close(messageId: string): Promise<string[]> {
    const keys = [`${PREFIX}members:${messageId}`, `${PREFIX}message:${messageId}`];
    return (await this.#redis.eval(CLOSE, 2, ...keys, messageId)) as string[];
  }
}
