import { type Redis, subscriberOf } from '../../ingest/redis.ts';
import type { RegisteredKey } from './key.ts';

/** Redis channel: the organization whose denied keys changed. */
const CHANNEL = '{keytally}:denied';
/** Requests that may wait at once in one process; more are answered at once, as if their time had passed. */
const MAX_WAITING = 2_000;

/** Whether gateways must refuse the key. */
function isDenied(key: Pick<RegisteredKey, 'status' | 'deleted'> | undefined): boolean {
  return key !== undefined && (key.deleted || key.status !== 'active');
}

/** Whether a change alters the list of denied keys. */
export function changesDenials(before: RegisteredKey | undefined, after: RegisteredKey): boolean {
  return (
    isDenied(before) !== isDenied(after) ||
    (isDenied(after) && (before?.sha256 !== after.sha256 || before?.organization_id !== after.organization_id))
  );
}

/** Tells every process whose denied keys changed. */
export async function announceDenials(redis: Redis, organizationIds: Iterable<string>): Promise<void> {
  await Promise.all([...new Set(organizationIds)].map((id) => redis.publish(CHANNEL, id)));
}

type Wake = () => void;

/** Waits for changes of the denied keys, of one organization or of all. */
export class DenialWatch {
  readonly #redis: Redis;
  #subscribed: Promise<unknown> | undefined;
  #closed = false;
  readonly #waiting = new Set<{ organizationId: string; wake: Wake }>();

  constructor(redis: Redis) {
    this.#redis = redis;
  }

  /**
   * From now on notices changes; `changed` resolves at the first one, or never after `stop`.
   * @param organizationId '' = of any organization
   * @returns undefined when too many wait already, or the process is stopping
   */
  async watch(organizationId: string): Promise<{ changed: Promise<void>; stop: Wake } | undefined> {
    if (this.#closed || this.#waiting.size >= MAX_WAITING) return undefined;
    this.#subscribed ??= this.#subscribe().catch((error) => {
      this.#subscribed = undefined;
      throw error;
    });
    await this.#subscribed;
    let wake: Wake = () => {};
    const changed = new Promise<void>((resolve) => (wake = resolve));
    const entry = { organizationId, wake };
    this.#waiting.add(entry);
    return { changed, stop: () => this.#waiting.delete(entry) };
  }

  /** Lets everybody who waits go: a stopping process must not be held up by gateways that listen. */
  close(): void {
    this.#closed = true;
    this.#wake(undefined);
  }

  async #subscribe(): Promise<void> {
    // A connection that subscribes can do nothing else; it goes when the one it was made from goes.
    const subscriber = subscriberOf(this.#redis);
    subscriber.on('error', () => {});
    this.#redis.once('end', () => subscriber.disconnect());
    subscriber.on('message', (_channel: string, organizationId: string) => this.#wake(organizationId));
    // What was announced while the connection was away is unknown: everybody looks for himself.
    for (const event of ['ready', '-node', '+node']) subscriber.on(event, () => this.#wake(undefined));
    await subscriber.subscribe(CHANNEL);
  }

  #wake(organizationId: string | undefined): void {
    for (const { organizationId: wanted, wake } of this.#waiting) {
      if (organizationId === undefined || wanted === '' || wanted === organizationId) wake();
    }
  }
}
