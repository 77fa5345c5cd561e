import type { Store } from '../../clickhouse/store.ts';

const DAY_SECONDS = 86_400;
const HISTORY_DAYS = 28;
/** Limits of the statements that fill tables from tables. */
export const FILL_SETTINGS = 'SETTINGS max_threads = 1, async_insert = 0, join_use_nulls = 0, max_execution_time = 120';

const at = (seconds: number) => `toDateTime(${seconds}, 'UTC')`;

export const dayOf = (seconds: number): number => seconds - (seconds % DAY_SECONDS);

/**
 * Makes what is usual for the day that holds this hour, once: from the 28 days before it, so that an incident does not become
 * usual while it lasts.
 */
export async function ensureDay(store: Store, hour: number): Promise<void> {
  const day = dayOf(hour);
  const present = await store.query(`SELECT 1 FROM alert_days WHERE day = ${at(day)} AND key_id = '' LIMIT 1`);
  if (present.length > 0) return;
  const span = `start >= ${at(day - HISTORY_DAYS * DAY_SECONDS)} AND start < ${at(day)}`;
  await store.command(`INSERT INTO alert_days (day, key_id, requests, server_errors, client_errors, refused, rate_limited)
    SELECT ${at(day)}, key_id, sum(s.requests), sumIf(s.requests, status >= 500),
      sumIf(s.requests, status >= 400 AND status < 500 AND status NOT IN (401, 403, 429)), sumIf(s.requests, status IN (401, 403)),
      sumIf(s.requests, status = 429)
    FROM statuses_day AS s WHERE ${span} AND key_id != '' GROUP BY key_id ${FILL_SETTINGS}`);
  await store.command(`INSERT INTO alert_day_countries (day, key_id, country, requests, share)
    SELECT ${at(day)}, key_id, one.1, one.2, one.2 / total
    FROM (SELECT key_id, groupArray((country, n)) AS parts, sum(n) AS total
          FROM (SELECT key_id, country, sum(c.requests) AS n FROM countries_day AS c WHERE ${span} AND key_id != '' GROUP BY key_id, country)
          GROUP BY key_id) ARRAY JOIN parts AS one ${FILL_SETTINGS}`);
  await store.insertRows('alert_days', [{ day: new Date(day * 1000).toISOString(), key_id: '' }]);
}
