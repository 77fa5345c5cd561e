import { longestLingerMs } from '../../ingest/linger.ts';

/**
 * What a request costs, as measured, and what follows from it for machines. Pure arithmetic; docs/capacity.md shows its
 * results and a test compares the two. Figures: `npm run bench -- stages`, `waiting` and `disk` (docs/benchmarks.md).
 */
export const MEASURED = {
  /** CPU microseconds per request. */
  collectorMicros: 4.9,
  workerMicros: 0.9,
  engineMicros: 9.6,
  /** CPU milliseconds of the engine for an insert of hardly any rows: fourteen views are planned, fifteen parts are written. */
  insertMillis: 71,
  redisMicros: 0.11,
  /** Merges come after the inserts that are measured too: this share of their cost is added. Assumed, not measured. */
  mergeShare: 0.5,
  /** Redis memory of a waiting request with a random request id. */
  redisBytes: 44.5,
  /** One request as NDJSON, as a batch in Redis, as a block to ClickHouse; compressed only to ClickHouse. */
  networkBytes: { toCollector: 330, toRedis: 40, fromRedis: 40, toClickHouse: 40 },
  /** `requests` on disk, with a random request id. */
  diskBytesPerRequest: 34.2,
  /** Rollups: bytes of one row. */
  diskBytesPerRow: { minute: 102, quarterHour: 450, day: 700, endpointQuarterHour: 42, endpointDay: 120, other: 6 },
} as const;

/** What a team expects of its traffic. */
export interface Expectation {
  requestsPerDay: number;
  /** Keys that are used on a day. */
  keys: number;
  /** Pairs of method and route that a key uses on a day. */
  routesPerKey: number;
  /** Busiest minute over the mean of the day. */
  peakFactor: number;
  retentionDays: { requests: number; minute: number; quarterHour: number; day: number };
  /** How long ClickHouse may be away without a request refused. */
  outageHours: number;
}

export const DEFAULT_EXPECTATION: Omit<Expectation, 'requestsPerDay' | 'keys'> = {
  routesPerKey: 20,
  peakFactor: 3,
  retentionDays: { requests: 30, minute: 15, quarterHour: 400, day: 1825 },
  outageHours: 1,
};

/** Cores, bytes and counts that the expectation needs. */
export interface Capacity {
  peakPerSecond: number;
  collectorCores: number;
  workerCores: number;
  engineCores: number;
  redisCores: number;
  /** Batches that ClickHouse gets in the busiest minute. */
  insertsPerSecond: number;
  redisBytes: number;
  networkBytesPerSecond: number;
  diskBytesRequests: number;
  diskBytesRollups: number;
  /** Machines by their part; 0 = together on the first one. */
  collectors: number;
  workers: number;
  redisShards: number;
  clickHouseShards: number;
}

/** Cores are planned to be this busy at the peak. */
const TARGET_USE = 0.6;
/** A collector and a worker are single processes: one core each is theirs. */
const REDIS_SHARD_BYTES = 32e9;
const CLICKHOUSE_NODE_CORES = 16;
const CLICKHOUSE_NODE_BYTES = 10e12;
/** Up to this many cores and bytes in all, one machine with everything on it does. */
const ONE_MACHINE_CORES = 1;
const ONE_MACHINE_BYTES = 1e12;
const DAY_SECONDS = 86_400;
/** Of a collector under steady traffic at the default `INGEST_LINGER_MS`. */
const BATCHES_PER_SECOND = 1_000 / longestLingerMs(250);

export function capacityFor(expected: Expectation): Capacity {
  const peakPerSecond = (expected.requestsPerDay / DAY_SECONDS) * expected.peakFactor;
  const cores = (micros: number) => (peakPerSecond * micros) / 1e6 / TARGET_USE;
  const collectorCores = cores(MEASURED.collectorMicros);
  const insertsOf = (collectors: number) => Math.min(peakPerSecond, collectors * BATCHES_PER_SECOND);
  const engineOf = (collectors: number) =>
    cores(MEASURED.engineMicros * (1 + MEASURED.mergeShare)) + insertCores(insertsOf(collectors)) / TARGET_USE;
  const workerCores = cores(MEASURED.workerMicros);
  const redisCores = cores(MEASURED.redisMicros);
  const redisBytes = (expected.requestsPerDay / 24) * expected.outageHours * MEASURED.redisBytes;
  const diskBytesRequests = expected.requestsPerDay * expected.retentionDays.requests * MEASURED.diskBytesPerRequest;
  const diskBytesRollups = rollupBytes(expected);
  const isOne =
    collectorCores + workerCores + engineOf(1) + redisCores <= ONE_MACHINE_CORES &&
    diskBytesRequests + diskBytesRollups <= ONE_MACHINE_BYTES;
  const collectors = isOne ? 1 : Math.max(2, Math.ceil(collectorCores));
  const engineCores = engineOf(collectors);
  const { toCollector, toRedis, fromRedis, toClickHouse } = MEASURED.networkBytes;
  return {
    peakPerSecond,
    collectorCores,
    workerCores,
    engineCores,
    redisCores,
    insertsPerSecond: insertsOf(collectors),
    redisBytes,
    networkBytesPerSecond: peakPerSecond * (toCollector + toRedis + fromRedis + toClickHouse),
    diskBytesRequests,
    diskBytesRollups,
    collectors: isOne ? 0 : collectors,
    workers: isOne ? 0 : Math.max(2, Math.ceil(workerCores)),
    redisShards: isOne ? 0 : Math.max(1, Math.ceil(Math.max(redisCores, redisBytes / REDIS_SHARD_BYTES))),
    clickHouseShards: isOne
      ? 0
      : Math.ceil(
          Math.max(engineCores / CLICKHOUSE_NODE_CORES, (diskBytesRequests + diskBytesRollups) / CLICKHOUSE_NODE_BYTES),
        ),
  };
}

/** Cores that inserts take whatever is in them, merges of their parts included. */
export function insertCores(insertsPerSecond: number): number {
  return (insertsPerSecond * MEASURED.insertMillis * (1 + MEASURED.mergeShare)) / 1_000;
}

/**
 * Cells of a table that get at least one of `requests` when each falls into any cell alike: cells × (1 − e^(−requests/cells)),
 * the occupancy of the Poisson approximation. Real traffic is less even and fills fewer.
 */
export function cellsUsed(cells: number, requests: number): number {
  return cells * -Math.expm1(-requests / cells);
}

/** Rollups grow with keys × time × what a key does, and never beyond one row per request. */
export function rollupBytes({ requestsPerDay, keys, routesPerKey, retentionDays }: Expectation): number {
  const row = MEASURED.diskBytesPerRow;
  const perDay = (cellsOfDay: number, bytes: number) => cellsUsed(cellsOfDay, requestsPerDay) * bytes;
  const minute = perDay(keys * 1440, row.minute);
  const statusesAndCountries = 8;
  const quarterHour =
    perDay(keys * 96, row.quarterHour) +
    perDay(keys * 96 * routesPerKey, row.endpointQuarterHour) +
    perDay(keys * 96 * statusesAndCountries, row.other);
  const day =
    perDay(keys, row.day) +
    perDay(keys * routesPerKey, row.endpointDay) +
    perDay(keys * statusesAndCountries, row.other);
  return minute * retentionDays.minute + quarterHour * retentionDays.quarterHour + day * retentionDays.day;
}
