/** Which keys the detectors of request rates and silences have to look at, as SQL: pure. */
import { RATE_WINDOWS, SINGLE_Z } from '../detectors/request-rate.ts';
import { silenceThreshold } from '../detectors/silence.ts';
import { hoursOf } from './key-history.ts';
import { MAX_CANDIDATES } from './kind.ts';

/** Thresholds by window in buckets, as the detector has them. */
export const WINDOWS: readonly { buckets: number; z: number }[] = [{ buckets: 1, z: SINGLE_Z }, ...RATE_WINDOWS];
/** Lengths of silence that are looked for, in buckets: one that lasts lies between two of them. */
const SILENCES = [1, 3, 6, 12, 24, 36];
/** SQL rounds differently from the detector: it lets a little more through. */
const GENEROUS = 0.95;

/** The lowest thresholds of all rules. */
export interface Thresholds {
  factor: number;
  minRequests: number;
}

/**
 * The score of the detector (`countScore`) over its four windows, for all keys in one query; and keys whose silence, which lasts
 * for a window and less than the next longer one, would be strange enough if it were as long as that.
 * @param from of the history that is looked at, and `to`, its end: epoch seconds
 * @param reported starts of its buckets that the gateways reported, oldest first; at least one
 */
export function trafficCandidatesSql(
  { from, to, reported }: { from: number; to: number; reported: readonly number[] },
  thresholds: Thresholds,
): string {
  const seen = SILENCES.map(
    (count) => `sumIf(b.requests, start >= toDateTime(${reported.slice(-count)[0]}, 'UTC')) AS seen_${count}`,
  );
  const hours = hoursOf(from, to);
  const ofHours = hours.flatMap((hour, n) =>
    ['usual', 'noise', 'deviation', 'apart'].map(
      (value) => `sumIf(${value}, hour = toDateTime(${hour}, 'UTC')) AS ${value}_${n}`,
    ),
  );
  const columns = [
    ...expectedColumns(reported, hours),
    ...SILENCES.flatMap(runColumns),
    ...WINDOWS.flatMap(({ buckets }) => scoreColumns(buckets)),
  ];
  return `SELECT key_id, count() OVER () AS total
     FROM (SELECT e.key_id AS key_id, ${SILENCES.map((name) => `seen_${name}`).join(', ')}, ${columns.join(', ')}
           FROM (SELECT key_hash, any(b.key_id) AS key_id, ${ofHours.join(', ')}
                 FROM (SELECT key_id, key_hash, hour, mean * growth AS usual, within * usual AS noise, sqrt(between) * growth AS deviation,
                              growth * sqrt(greatest(0, between - mean / 12)) AS apart
                       FROM alert_baselines FINAL
                       WHERE hour >= toDateTime(${hours[0]}, 'UTC') AND hour < toDateTime(${to}, 'UTC') AND rung != 'caps only') AS b
                 GROUP BY key_hash) AS e
           LEFT JOIN (SELECT key_hash, ${seen.join(', ')} FROM traffic_buckets AS b
                      WHERE start >= toDateTime(${from}, 'UTC') AND start < toDateTime(${to}, 'UTC')
                      GROUP BY key_hash) AS s ON s.key_hash = e.key_hash)
     WHERE ${conditions(thresholds).join(' OR ')}
     ORDER BY greatest(m_36, x_36) DESC LIMIT ${MAX_CANDIDATES}`;
}

/** What is expected of the newest N buckets: mean `m_N`, noise `i_N`, deviation `d_N`, and `f_N` of a silence. */
function expectedColumns(reported: readonly number[], hours: readonly number[]): string[] {
  const sum = (value: string, count: number) => sumOf(value, reported.slice(-count), hours);
  return [
    ...WINDOWS.map(({ buckets }) => `${sum('deviation', buckets)} AS d_${buckets}`),
    ...SILENCES.map(
      (name) =>
        `${sum('usual', name)} AS m_${name}, ${sum('noise', name)} AS i_${name}, ${sum('apart', name)} AS f_${name}`,
    ),
  ];
}

/** What these buckets add up to, from the values of each hour. */
function sumOf(value: string, starts: readonly number[], hours: readonly number[]): string {
  const parts = hours.flatMap((hour, n) => {
    const inside = starts.filter((start) => start >= hour && start < hour + 3_600).length;
    return inside > 0 ? `${inside} * ${value}_${n}` : [];
  });
  return parts.join(' + ');
}

/** `z_N` as `countScore` has it, from the count `x_N` and what is expected: `m_N`, `i_N`, `d_N`. */
export function scoreColumns(name: number): string[] {
  return [
    `greatest(1, (i_${name} + d_${name} * d_${name}) / greatest(m_${name}, 0.05)) AS phi_${name}`,
    `greatest(m_${name}, 0.01) AS mm_${name}`,
    `(1 + 1 / phi_${name}) / 3 AS p_${name}`,
    `sqrt(phi_${name} / mm_${name}) AS s_${name}`,
    `(pow(if(x_${name} > mm_${name}, greatest(mm_${name}, x_${name} - 0.5), least(mm_${name}, x_${name} + 0.5)) / mm_${name}, p_${name}) - 1
       + p_${name} * (1 - p_${name}) * s_${name} * s_${name} / 2) / (p_${name} * s_${name}) AS z_${name}`,
  ];
}

/** The count `x_N`, and what a run of N empty buckets is judged by. */
function runColumns(name: number): string[] {
  return [
    `toFloat64(seen_${name}) AS x_${name}`,
    `greatest(1.001, (i_${name} + f_${name} * f_${name}) / greatest(m_${name}, 0.05)) AS run_${name}`,
  ];
}

function conditions({ factor, minRequests }: Thresholds): string[] {
  const strange = WINDOWS.map(
    ({ buckets: name, z }) =>
      `(abs(z_${name}) > ${z * (GENEROUS * factor)} AND greatest(x_${name}, m_${name}) >= ${GENEROUS * minRequests})`,
  );
  const silent = SILENCES.map((name, at) => {
    const longer = SILENCES[at + 1] ?? name;
    return `(seen_${name} = 0 AND m_${longer} * log(run_${name}) / (run_${name} - 1) > ${GENEROUS * silenceThreshold(longer)})`;
  });
  return [...strange, ...silent];
}
