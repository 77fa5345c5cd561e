import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseConfig } from '../../../../ingest/config.ts';
import { countScore } from '../../../../workers/alerts/detectors/request-rate.ts';
import { scoreColumns, trafficCandidatesSql } from '../../../../workers/alerts/evaluation/traffic-candidates-sql.ts';
import { openStore, type Store } from '../../../../workers/clickhouse/store.ts';
import { tempFolder } from '../../../support/temp-folder.ts';

let store: Store;
beforeAll(async () => {
  store = await openStore(parseConfig({}), tempFolder());
});
afterAll(() => store.close());

/** Requests, and what is expected of them: mean, noise, deviation. */
const COUNTS: [x: number, m: number, i: number, d: number][] = [0, 0.004, 0.7, 12, 340].flatMap((mean) =>
  [0, 1, 3, 11, 400].flatMap((requests) =>
    [
      [mean, 0],
      [mean * 2.5, 4],
    ].map(([noise, deviation]): [number, number, number, number] => [requests, mean, noise!, deviation!]),
  ),
);

test('the score is that of the detector', async () => {
  const rows = COUNTS.map((count) => `(${count.map((value) => `toFloat64(${value})`).join(', ')})`);
  const scored = await store.query<{ z_3: number }>(
    `SELECT row.1 AS x_3, row.2 AS m_3, row.3 AS i_3, row.4 AS d_3, ${scoreColumns(3).join(', ')}
     FROM (SELECT arrayJoin([${rows.join(', ')}]) AS row)`,
  );
  const expected = COUNTS.map(([x, m, i, d]) => countScore(x, m, Math.max(1, (i + d * d) / Math.max(m, 0.05))));
  for (const [at, { z_3 }] of scored.entries()) expect(z_3, String(COUNTS[at])).toBeCloseTo(expected[at]!, 9);
  expect(scored).toHaveLength(COUNTS.length);
});

test('buckets that were not reported are neither counted nor expected', () => {
  const to = 3_600 * 10;
  const range = { from: to - 36 * 300, to };
  const sql = trafficCandidatesSql({ ...range, reported: [to - 3_900, to - 600] }, { factor: 1, minRequests: 20 });
  expect(sql).toContain("start >= toDateTime(35400, 'UTC')) AS seen_1,");
  expect(sql).toContain('1 * usual_2 AS m_1,');
  expect(sql).toContain("start >= toDateTime(32100, 'UTC')) AS seen_36 ");
  expect(sql).toContain('1 * usual_1 + 1 * usual_2 AS m_36,');
});
