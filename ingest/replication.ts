import slotOf from 'cluster-key-slot';
import { Cluster, type Redis as Single } from 'ioredis';
import { writesUnreplicated } from './metrics.ts';
import type { Redis } from './redis.ts';

/** A replica of the same cluster answers within milliseconds; one that does not is away. */
const WAIT_TIMEOUT_MS = 1_000;
/** WAIT holds up everything else on its connection, so a node whose replicas are away is not asked again for this long. */
const AWAY_MS = 10_000;

/**
 * Makes sure that what was written survives the loss of its node. Redis confirms a write before its replicas have it;
 * a master killed in between would take a batch that got 202, or a claim, with it.
 */
export class Replication {
  readonly #redis: Redis;
  readonly #wanted: number | undefined;
  readonly #awayUntilMs = new Map<string, number>();

  /** @param wanted replicas to wait for; undefined = one on a cluster that has replicas, else none */
  constructor(redis: Redis, wanted: number | undefined) {
    this.#redis = redis;
    this.#wanted = wanted;
  }

  /**
   * Resolves when the replicas have what this process wrote to `key` before. Where they are away the write counts as
   * unreplicated and is kept: refusing it is the business of Redis (`min-replicas-to-write`).
   * @throws when the node of the key is lost meanwhile; the write must be repeated
   */
  async confirm(key: string): Promise<void> {
    const wanted = this.#wanted ?? this.#byDefault();
    if (wanted === 0) return;
    const node = this.#nodeOf(key);
    const name = `${node.options.host}:${node.options.port}`;
    const away = (this.#awayUntilMs.get(name) ?? 0) > Date.now();
    if (!away && (await node.wait(wanted, WAIT_TIMEOUT_MS)) >= wanted) return;
    if (!away) this.#awayUntilMs.set(name, Date.now() + AWAY_MS);
    writesUnreplicated.inc();
  }

  #byDefault(): number {
    return this.#redis instanceof Cluster && this.#redis.nodes('slave').length > 0 ? 1 : 0;
  }

  /** The connection on which the key's commands run: WAIT speaks of the writes of its own connection. */
  #nodeOf(key: string): Single {
    if (!(this.#redis instanceof Cluster)) return this.#redis;
    const name = this.#redis.slots[slotOf(key)]?.[0];
    const node = this.#redis.nodes('master').find(({ options }) => `${options.host}:${options.port}` === name);
    if (!node) throw new Error('the cluster has no node for this key at the moment');
    return node;
  }
}
