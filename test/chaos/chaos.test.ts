import { expect, test } from 'vitest';
import { Random } from '../support/random.ts';
import { compare, isClean, type Read } from './compare.ts';
import { Ledger, type Sent, TIERS } from './ledger.ts';
import { runChaos } from './run.ts';
import { type ScheduleOptions, scheduleOf } from './schedule.ts';

const KILLS = 6;
const SEED = 20_261_121;

test('a short run: every part killed and cut off under load, every count and key as the ledger has it', async () => {
  const said: string[] = [];
  const options = {
    kills: KILLS,
    seed: SEED,
    fsync: 'always',
    storeDownMs: 1_500,
    smallDisk: false,
    untilEnded: false,
  } as const;
  const result = await runChaos({ ...options, say: (line) => said.push(line) });
  const { expected, wrong, steps } = result.alerts;
  console.info(`${result.kills} kills, ${result.acknowledged} records in ${result.seconds} s:${said.join(';')}`);
  console.info(
    `${expected} notifications expected, ${steps} steps of alerts, ${result.alertRepeats} repeats, ` +
      `drained after ${result.drainedInSeconds} s, all told after ${result.toldInSeconds} s`,
  );
  expect(result.examples).toEqual([]);
  expect(result.refused).toEqual([]);
  expect(wrong).toEqual([]);
  expect(expected).toBeGreaterThanOrEqual(8);
  expect(result).toMatchObject({ clean: true, lost: 0, twice: 0, strangers: 0, drained: true });
  expect(result.acknowledged).toBeGreaterThan(100);
  expect(result.kills).toBeGreaterThanOrEqual(KILLS);
}, 600_000);

test('the same seed makes the same schedule, another seed another', () => {
  const options: ScheduleOptions = { kills: 40, storeDownMs: 60_000, diskFull: true };
  const schedule = (seed: number) => JSON.stringify(scheduleOf(new Random(seed), options));
  expect(schedule(3)).toBe(schedule(3));
  expect(schedule(3)).not.toBe(schedule(4));
});

test('every kind of fault and every target appears in 200 kills', () => {
  const steps = scheduleOf(new Random(1), { kills: 200, storeDownMs: 60_000, diskFull: true });
  const kinds = new Set(steps.map(({ fault }) => fault.kind));
  const killed = new Set(steps.flatMap(({ fault }) => (fault.kind === 'kill' ? [fault.target] : [])));
  expect([kinds.size, killed.size]).toEqual([10, 7]);
});

/** A store of the ledger's own making, in which one thing is wrong. */
const RECORD: Sent = {
  ...{ key_id: 'k', timestamp: 1_700_000_000_000, method: 'GET', route: '/a', status: 404, latency_ms: 1 },
  ...{ request_bytes: 2, response_bytes: 3, country: 'SE', service: 's', environment: 'e', request_id: 'r-1' },
};

function storeWith(requests: object[], spoil: (table: string, row: Record<string, unknown>) => void): Read {
  return async <Row>(sql: string) => {
    const table = /FROM (\w+)/.exec(sql)![1]!;
    if (table === 'requests') return requests as Row[];
    if (table === 'dead_letters') return [{ rows: 0 }] as Row[];
    const row: Record<string, unknown> =
      table === 'key_totals'
        ? { key_id: 'k', n: 1, first_ms: RECORD.timestamp, last_ms: RECORD.timestamp }
        : rowOf(TIERS.find((tier) => tier.table === table)!);
    spoil(table, row);
    return [row] as Row[];
  };
}

function rowOf({ span, dimensions, sums }: (typeof TIERS)[number]): Record<string, unknown> {
  const spanMs = { minute: 60_000, quarter_hour: 900_000, day: 86_400_000 }[span];
  const counts: Record<string, number> = { requests: 1, client_errors: 1, request_bytes: 2, response_bytes: 3 };
  return {
    key_id: 'k',
    start_s: Math.floor(RECORD.timestamp / spanMs) * (spanMs / 1000),
    ...Object.fromEntries(dimensions.map((dimension) => [dimension, RECORD[dimension]])),
    ...Object.fromEntries(sums.map((sum) => [`n_${sum}`, counts[sum] ?? 0])),
  };
}

const STORED = [{ request_id: 'r-1', times: 1, batches: ['b'] }];
const SPOILED: [string, object[], (table: string, row: Record<string, unknown>) => void][] = [
  ['a lost record', [], () => {}],
  ['a record twice', [{ ...STORED[0], times: 2 }], () => {}],
  ['a record that nobody sent', [...STORED, { request_id: 'r-2', times: 1, batches: ['b'] }], () => {}],
  ...[...TIERS.map(({ table }) => table), 'key_totals'].map(
    (spoiled): [string, object[], (table: string, row: Record<string, unknown>) => void] => [
      `one too many in ${spoiled}`,
      STORED,
      (table, row) => {
        if (table === spoiled) row[table === 'key_totals' ? 'n' : 'n_requests'] = 2;
      },
    ],
  ),
];

test.each(SPOILED)('the comparison sees %s', async (_title, requests, spoil) => {
  const ledger = new Ledger();
  ledger.add([RECORD]);
  expect(
    isClean(
      await compare(
        storeWith(STORED, () => {}),
        ledger,
        new Map(),
      ),
    ),
  ).toBe(true);
  expect(isClean(await compare(storeWith(requests, spoil), ledger, new Map()))).toBe(false);
});
