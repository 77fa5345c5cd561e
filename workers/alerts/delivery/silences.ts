import { randomUUID } from 'node:crypto';
import type { Store } from '../../clickhouse/store.ts';
import type { SilenceMatchers } from '../silence-matching.ts';

/** Silences that are looked at together at most. */
const MAX_SILENCES = 5_000;

export interface Silence {
  silence_id: string;
  /** '' = of the platform: matches every organization. */
  organization_id: string;
  matchers: SilenceMatchers;
  starts_at: string;
  ends_at: string;
  reason: string;
  created_by: string;
  created_at: string;
  version: number;
}

export type SilenceFields = Omit<Silence, 'silence_id' | 'created_at' | 'version'>;

/** The stored silences, as people make and end them. Which alerts they mean: `silence-matching.ts`. */
export class Silences {
  readonly #store: Store;

  constructor(store: Store) {
    this.#store = store;
  }

  /**
   * Newest first.
   * @param organizationId only those of this organization; '' = all
   * @param endsAfterMs leave out those that are over by then; 0 = all
   */
  async list(organizationId: string, endsAfterMs: number): Promise<Silence[]> {
    const rows = await this.#store.queryWriter<Omit<Silence, 'matchers'> & { matchers: string }>(
      `SELECT * EXCEPT deleted FROM silences FINAL
       WHERE NOT deleted AND ({organization_id:String} = '' OR organization_id = {organization_id:String})
         AND ends_at > fromUnixTimestamp64Milli({ends_after:Int64})
       ORDER BY created_at DESC, silence_id LIMIT ${MAX_SILENCES}`,
      { organization_id: organizationId, ends_after: endsAfterMs },
    );
    return rows.map((row) => ({ ...row, matchers: JSON.parse(row.matchers) }));
  }

  async find(silenceId: string): Promise<Silence | undefined> {
    return (await this.list('', 0)).find((silence) => silence.silence_id === silenceId);
  }

  /** @param silenceId the same id again changes nothing but the silence itself; default: a new one */
  async create(fields: SilenceFields, silenceId: string = randomUUID()): Promise<Silence> {
    const silence = { ...fields, silence_id: silenceId, created_at: new Date().toISOString(), version: 1 };
    await this.#write(silence);
    return silence;
  }

  /** Ends a silence now; it stays in the list of the past. */
  async expire(present: Silence, nowMs: number): Promise<Silence> {
    const silence = { ...present, ends_at: new Date(nowMs).toISOString(), version: present.version + 1 };
    await this.#write(silence);
    return silence;
  }

  async #write(silence: Silence): Promise<void> {
    await this.#store.insertRows('silences', [
      { ...silence, matchers: JSON.stringify(silence.matchers), deleted: false },
    ]);
  }
}
