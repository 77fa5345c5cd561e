import { setTimeout as sleep } from 'node:timers/promises';
import { readAlertEvents } from './deliveries.ts';
import type { DeliveryParts } from './delivery-parts.ts';
import { routeEvents } from './route-events.ts';

/** Events that are handed over together are routed together: when half a fleet fires, that is a few reads and one insert. */
const GATHER_MS = 20;

export interface EventRef {
  event_id: string;
  alert_key: string;
}

export class RouteGatherer {
  readonly #parts: DeliveryParts;
  #waiting: EventRef[] = [];
  #next: Promise<Set<string>> | undefined;

  constructor(parts: DeliveryParts) {
    this.#parts = parts;
  }

  /** Routes an event together with others. @returns false when it is not stored (yet) */
  async route(ref: EventRef): Promise<boolean> {
    this.#waiting.push(ref);
    this.#next ??= this.#flush();
    return (await this.#next).has(ref.event_id);
  }

  async #flush(): Promise<Set<string>> {
    await sleep(GATHER_MS);
    const refs = this.#waiting;
    this.#waiting = [];
    this.#next = undefined;
    const events = await readAlertEvents(this.#parts.store, refs);
    await routeEvents(this.#parts, [...events.values()]);
    return new Set(events.keys());
  }
}
