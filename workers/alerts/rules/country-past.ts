/** Where the requests of keys came from in the past: new countries, and the mix of each hour beside that of 28 days. */
import type { Store } from '../../clickhouse/store.ts';
import { EVALUATION_SETTINGS, HOUR_SECONDS } from '../evaluation/baselines.ts';
import { dayOf } from '../evaluation/days.ts';
import { noHistory } from '../evaluation/key-history.ts';
import { UNKNOWN_COUNTRY } from '../evaluation/new-country.ts';
import { endsEvery, type KeyPast, type ScopedKey, type Span } from './replay.ts';

const DAY_SECONDS = 86_400;
export const QUARTER_SECONDS = 900;
const HISTORY_DAYS = 28;
/** The fewest requests of an hour that any rule may ask for. */
const LEAST_REQUESTS_OF_HOUR = 50;

type Counts = ReadonlyMap<string, number>;
const NOTHING: Counts = new Map();

/** Requests by country of each slot of time, by key. */
type Slots = Map<string, Map<number, Counts>>;

async function readSlots(
  store: Store,
  table: 'countries_day' | 'countries_quarter_hour',
  keyIds: readonly string[],
  { judgeFrom: from, to }: Span,
  slot = 'start',
  least = 0,
): Promise<Slots> {
  const rows = await store.query<{ key_id: string; at: number; counts: [string, number][] }>(
    `SELECT key_id, at, groupArray((country, n)) AS counts
     FROM (SELECT key_id, toUnixTimestamp(${slot}) AS at, toString(c.country) AS country, sum(c.requests) AS n FROM ${table} AS c
           WHERE key_id IN {key_ids:Array(String)} AND start >= toDateTime({from:UInt32}, 'UTC') AND start < toDateTime({to:UInt32}, 'UTC')
           GROUP BY key_id, at, country)
     GROUP BY key_id, at HAVING sum(n) >= ${least}`,
    { key_ids: keyIds, from, to },
    EVALUATION_SETTINGS,
  );
  const slots: Slots = new Map(keyIds.map((keyId) => [keyId, new Map()]));
  for (const { key_id, at, counts } of rows) slots.get(key_id)!.set(at, new Map(counts));
  return slots;
}

const monthsBefore = ({ judgeFrom, to }: Span): Span => ({
  judgeFrom: dayOf(judgeFrom) - (HISTORY_DAYS + 1) * DAY_SECONDS,
  to,
});

/** Adds up what was counted in the days from `from` up to the day `to`; the last sum is kept, because windows of a day ask for the same. */
class DaySums {
  readonly #days: ReadonlyMap<number, Counts>;
  #asked = '';
  #sums: Counts = NOTHING;

  constructor(days: ReadonlyMap<number, Counts>) {
    this.#days = days;
  }

  between(from: number, to: number): Counts {
    const asked = `${from} ${to}`;
    if (asked === this.#asked) return this.#sums;
    const sums = new Map<string, number>();
    for (let day = from; day < to; day += DAY_SECONDS) addTo(sums, this.#days.get(day) ?? NOTHING);
    this.#asked = asked;
    this.#sums = sums;
    return sums;
  }
}

function addTo(sums: Map<string, number>, counts: Counts): void {
  for (const [country, n] of counts) sums.set(country, (sums.get(country) ?? 0) + n);
}

export async function readMixPasts(store: Store, keys: readonly ScopedKey[], span: Span): Promise<KeyPast[]> {
  const keyIds = keys.map((key) => key.key_id);
  const ends = endsEvery(HOUR_SECONDS, span);
  const hoursFrom = { judgeFrom: span.judgeFrom - (span.judgeFrom % HOUR_SECONDS), to: span.to };
  const [days, hours] = await Promise.all([
    readSlots(store, 'countries_day', keyIds, monthsBefore(span)),
    readSlots(store, 'countries_quarter_hour', keyIds, hoursFrom, 'toStartOfHour(start)', LEAST_REQUESTS_OF_HOUR),
  ]);
  return keyIds.map((keyId) => {
    const sums = new DaySums(days.get(keyId)!);
    return {
      keyId,
      ends,
      historyAt: (end) => {
        const today = dayOf(end - HOUR_SECONDS);
        const usual = sums.between(today - HISTORY_DAYS * DAY_SECONDS, today);
        return { ...noHistory(), mixes: { now: hours.get(keyId)!.get(end - HOUR_SECONDS) ?? NOTHING, usual } };
      },
    };
  });
}

interface FirstSeen {
  country: string;
  /** Epoch milliseconds. */
  firstSeenMs: number;
  requests: number;
}

/**
 * Windows end with quarter hours, because countries are counted in those; a key that met no new country in the span (or the day
 * before) has none.
 */
export async function readNewCountryPasts(store: Store, keys: readonly ScopedKey[], span: Span): Promise<KeyPast[]> {
  const from = dayOf(span.judgeFrom - DAY_SECONDS);
  const firsts = await readFirstSeen(store, keys);
  const isFresh = ({ firstSeenMs }: FirstSeen) => firstSeenMs >= from * 1000;
  const fresh = keys.filter(({ key_id }) => firsts.get(key_id)?.some(isFresh));
  const keyIds = fresh.map((key) => key.key_id);
  if (keyIds.length === 0) return keys.map(({ key_id: keyId }) => ({ keyId, ends: [], historyAt: noHistory }));
  const [days, quarters] = await Promise.all([
    readSlots(store, 'countries_day', keyIds, monthsBefore(span)),
    readSlots(store, 'countries_quarter_hour', keyIds, { judgeFrom: from, to: span.to }),
  ]);
  const ends = endsEvery(QUARTER_SECONDS, span);
  return keys.map(({ key_id: keyId, since }) => {
    if (!quarters.has(keyId)) return { keyId, ends: [], historyAt: noHistory };
    const its = new CountriesUntil(firsts.get(keyId)!, days.get(keyId)!, quarters.get(keyId)!, from);
    return {
      keyId,
      ends,
      historyAt: (end) => ({ ...noHistory(), seen: { ...its.at(end), ageDays: (end - since) / DAY_SECONDS } }),
    };
  });
}

/** Where a key had been used from until a time; asked in ascending order. */
class CountriesUntil {
  readonly #countries: readonly FirstSeen[];
  readonly #quarters: ReadonlyMap<number, Counts>;
  readonly #sums: DaySums;
  readonly #from: number;
  /** Counted from `from` on, up to here. */
  readonly #total = new Map<string, number>();
  #until: number;

  constructor(
    countries: readonly FirstSeen[],
    days: ReadonlyMap<number, Counts>,
    quarters: ReadonlyMap<number, Counts>,
    from: number,
  ) {
    this.#countries = countries;
    this.#quarters = quarters;
    this.#sums = new DaySums(days);
    this.#from = from;
    this.#until = from;
  }

  at(end: number): { requests: number; seenOnce: number; countries: FirstSeen[] } {
    for (; this.#until < end; this.#until += QUARTER_SECONDS)
      addTo(this.#total, this.#quarters.get(this.#until) ?? NOTHING);
    const today = dayOf(end);
    // A day belongs to the last 28 when it begins in them, as the evaluation counts.
    const first = Math.ceil((end - HISTORY_DAYS * DAY_SECONDS) / DAY_SECONDS) * DAY_SECONDS;
    const month = new Map(this.#sums.between(first, today));
    for (let start = today; start < end; start += QUARTER_SECONDS) addTo(month, this.#quarters.get(start) ?? NOTHING);
    month.delete(UNKNOWN_COUNTRY);
    const counts = [...month.values()];
    return {
      requests: counts.reduce((sum, one) => sum + one, 0),
      seenOnce: counts.filter((one) => one === 1).length,
      countries: this.#countries.map((one) =>
        one.firstSeenMs >= this.#from * 1000 ? { ...one, requests: this.#total.get(one.country) ?? 0 } : one,
      ),
    };
  }
}

async function readFirstSeen(store: Store, keys: readonly ScopedKey[]): Promise<Map<string, FirstSeen[]>> {
  const rows = await store.query<{ key_id: string; countries: [string, number, number][] }>(
    `SELECT key_id, groupArray((toString(country), toUnixTimestamp64Milli(first), n)) AS countries FROM (
       SELECT key_id, country, min(c.first_seen) AS first, sum(c.requests) AS n FROM key_countries AS c
       WHERE key_id IN {key_ids:Array(String)} AND country != '${UNKNOWN_COUNTRY}' GROUP BY key_id, country)
     GROUP BY key_id`,
    { key_ids: keys.map((key) => key.key_id) },
    EVALUATION_SETTINGS,
  );
  return new Map(
    rows.map(({ key_id, countries }) => [
      key_id,
      countries.map(([country, firstSeenMs, requests]) => ({ country, firstSeenMs, requests })),
    ]),
  );
}
