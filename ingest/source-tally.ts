import type { RecordError } from './record.ts';
import type { Redis } from './redis.ts';

/** Redis hash: JSON of [organization, format] → {@link SourceNote} as JSON. */
const SOURCES_KEY = '{keytally}:sources';

/** Who sends in which format. */
export interface Source {
  /** '' = a token of the platform. */
  organizationId: string;
  format: string;
}

/** What a source sent in the second in which it was last heard of. */
export interface SourceNote {
  /** Epoch milliseconds. */
  at: number;
  accepted: number;
  rejected: number;
  /** Why the first of the rejected was: field and reason, never a value. '' = none was rejected. */
  error: string;
}

const FLUSH_MS = 1_000;
/** Sources noted in one second; others are noted in a later one, because only the newest note of each is kept. */
const MAX_SOURCES = 1_000;
const MAX_ERROR_CHARACTERS = 300;

/** Notes that records arrive, once a second, so that whoever connects a gateway sees it without waiting for counts. */
export class SourceTally {
  readonly #redis: Redis;
  readonly #timer: NodeJS.Timeout;
  #notes = new Map<string, SourceNote>();

  constructor(redis: Redis) {
    this.#redis = redis;
    this.#timer = setInterval(() => void this.flush(), FLUSH_MS);
    this.#timer.unref();
  }

  note({ organizationId, format }: Source, accepted: number, errors: readonly RecordError[]): void {
    const name = JSON.stringify([organizationId, format]);
    const before = this.#notes.get(name);
    if (!before && this.#notes.size >= MAX_SOURCES) return;
    const first = errors[0];
    const error = first ? `${first.field}: ${first.message}`.slice(0, MAX_ERROR_CHARACTERS) : '';
    this.#notes.set(name, {
      at: Date.now(),
      accepted: (before?.accepted ?? 0) + accepted,
      rejected: (before?.rejected ?? 0) + errors.length,
      error: before?.error || error,
    });
  }

  async flush(): Promise<void> {
    if (this.#notes.size === 0) return;
    const fields = [...this.#notes].flatMap(([name, note]) => [name, JSON.stringify(note)]);
    this.#notes = new Map();
    // Redis is away: the records themselves say so. A lost note only makes the page a second older.
    await this.#redis.hset(SOURCES_KEY, ...fields).catch(() => undefined);
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.flush();
  }
}

/** The newest note of every source. */
export async function readSources(redis: Redis): Promise<(Source & SourceNote)[]> {
  const found = await redis.hgetall(SOURCES_KEY);
  return Object.entries(found).map(([name, note]) => {
    const [organizationId, format] = JSON.parse(name) as [string, string];
    return { organizationId, format, ...(JSON.parse(note) as SourceNote) };
  });
}
