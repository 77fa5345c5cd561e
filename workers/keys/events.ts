import type { Store } from '../clickhouse/store.ts';

export const KEY_EVENT_TYPES = [
  'key.expiring',
  'key.expired',
  'key.deactivated',
  'key.reactivated',
  'key.deleted',
  'key.leaked',
  'key.rotation_due',
  'key.unused',
  'key.policy_warning',
] as const;
export type KeyEventType = (typeof KEY_EVENT_TYPES)[number];

/** Something that happened to a key and that somebody may want to be told. */
export interface KeyEvent {
  /** The same for every repeat of the same event. */
  id: string;
  /** RFC 3339. */
  at: string;
  key_id: string;
  organization_id: string;
  type: KeyEventType;
  data: Readonly<Record<string, unknown>>;
}

/** Ids of one look-up; they travel as one bound parameter. */
const LOOKUP_CHUNK = 1_000;

/** Writes events. A repeat of an id replaces itself, so a reader with FINAL sees each once. */
export async function writeEvents(store: Store, events: readonly KeyEvent[]): Promise<void> {
  await store.insertRows(
    'key_events',
    events.map((event) => ({ ...event, data: JSON.stringify(event.data) })),
  );
}

/**
 * Writes the events that are not there yet: for those that are derived again and again, such as reminders.
 * @returns the events that were new
 */
export async function writeNewEvents(store: Store, events: readonly KeyEvent[]): Promise<KeyEvent[]> {
  const fresh: KeyEvent[] = [];
  for (let at = 0; at < events.length; at += LOOKUP_CHUNK) {
    const chunk = events.slice(at, at + LOOKUP_CHUNK);
    const present = await store.queryWriter<{ id: string }>(
      'SELECT id FROM key_events WHERE key_id IN {key_ids:Array(String)} AND id IN {ids:Array(String)}',
      { key_ids: chunk.map((event) => event.key_id), ids: chunk.map((event) => event.id) },
    );
    const known = new Set(present.map((row) => row.id));
    const missing = chunk.filter((event) => !known.has(event.id));
    await writeEvents(store, missing);
    fresh.push(...missing);
  }
  return fresh;
}
