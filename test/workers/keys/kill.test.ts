import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseConfig } from '../../../ingest/config.ts';
import { type LocalRedis, startLocalRedis } from '../../../ingest/local-redis.ts';
import { migrate } from '../../../workers/clickhouse/migrate.ts';
import { openStore, type Store } from '../../../workers/clickhouse/store.ts';
import { Policies } from '../../../workers/keys/policies.ts';
import { sized } from '../../support/full-size.ts';
import { partMetric } from '../../support/part-metric.ts';
import { type PartProcess, startPart } from '../../support/process.ts';
import { Random } from '../../support/random.ts';
import { ADMIN_TOKEN } from '../../support/stack.ts';
import { tempFolder } from '../../support/temp-folder.ts';

const KILLS = 3;
const LAST_STARTS = 3;
const KEYS = sized(6_000, 16_000);
const SEED = 4;
const LOOK_EVERY_MS = 20;
const EVERY_SECOND = '* * * * * *';
const folder = tempFolder();
let redis: LocalRedis;

beforeAll(async () => {
  redis = await startLocalRedis({ dataDir: tempFolder(), log: () => {}, maxMemoryBytes: 268_435_456 });
}, 120_000);
afterAll(() => redis.stop());

async function withStore<Result>(use: (store: Store) => Promise<Result>): Promise<Result> {
  const store = await openStore(parseConfig({}), join(folder, 'clickhouse'));
  try {
    return await use(store);
  } finally {
    await store.close();
  }
}

/** Half of the keys are past their expiry, half were never used. */
async function seed(store: Store): Promise<void> {
  await migrate(store, parseConfig({}));
  await store.command(
    `INSERT INTO keys (key_id, environment, status, expires_at, created_at, version, updated_at, registered_at)
     SELECT concat(if(number % 2 = 0, 'expired_', 'unused_'), toString(number)), if(number % 2 = 0, 'production', 'staging'), 'active',
            if(number % 2 = 0, now64(3) - toIntervalDay(1), NULL), now64(3) - toIntervalDay(60), 1,
            now64(3) - toIntervalDay(60), now64(3) - toIntervalDay(60)
     FROM numbers({keys:UInt32})`,
    { keys: KEYS },
  );
  // While nobody reports anything, no policy takes silence for a sign.
  await store.command(
    "INSERT INTO usage_minute (key_id, start, requests) SELECT 'heard', toStartOfMinute(now('UTC')), 1 FROM numbers(1)",
  );
  await new Policies(store).create({
    name: 'unused',
    kind: 'unused',
    enabled: true,
    organization_id: '',
    environment: 'staging',
    plan: '',
    settings: { never_used_days: 30 },
    exempt_key_ids: [],
    warn_days: [],
    max_per_run: KEYS,
  });
}

interface Progress {
  changed: number;
  /** Of them, whose writer was killed before their audit row or their event. */
  incomplete: number;
}

async function progress(store: Store): Promise<Progress> {
  const [row] = await store.query<Progress>(
    `SELECT count() AS changed,
            countIf(concat(key_id, '@', toString(version)) NOT IN (SELECT id FROM audit)
                 OR concat(key_id, '@', toString(version)) NOT IN (SELECT id FROM key_events)) AS incomplete
     FROM keys FINAL WHERE status != 'active'`,
  );
  return row!;
}

/** Versions that the sweeps of a worker have completed so far, as its log tells. */
const completed = (worker: PartProcess) =>
  [...worker.log().matchAll(/"repaired":(\d+)/g)].reduce((sum, [, repaired]) => sum + Number(repaired), 0);

const changes = (worker: PartProcess) => partMetric(worker.url, 'keytally_key_changes_total');

test(`kill -9 in the middle of sweeps and policy runs, ${KILLS} times: every key changes once, the audit is complete`, async () => {
  await withStore(seed);
  const random = new Random(SEED);
  const env = {
    REDIS_URL: redis.url,
    KEYTALLY_DATA_DIR: folder,
    KEYTALLY_ADMIN_TOKEN: ADMIN_TOKEN,
    KEY_SWEEP_CRON: EVERY_SECOND,
    KEY_POLICY_CRON: EVERY_SECOND,
    KEY_ROTATION_DAYS: '0',
  };
  const atKills: Progress[] = [];
  for (let kill = 0; kill < KILLS; kill++) {
    const worker = await startPart('worker', env);
    // A fixed time would on a busy machine be before the first change and on an idle one after the last.
    await expect.poll(() => changes(worker), { interval: LOOK_EVERY_MS, timeout: 60_000 }).toBeGreaterThan(0);
    await sleep(random.integer(0, 200));
    await worker.kill('SIGKILL');
    atKills.push(await withStore(progress));
  }
  console.log(`changed/incomplete at each kill: ${atKills.map((at) => `${at.changed}/${at.incomplete}`).join(', ')}`);
  expect(atKills.some(({ changed }) => changed > 0 && changed < KEYS)).toBe(true);
  let left = atKills.at(-1)!;
  // A sweep also completes what a run beside it is about to write, so its count alone may be reached before all is complete.
  for (let starts = 0; starts === 0 || (left.incomplete > 0 && starts < LAST_STARTS); starts++) {
    const { changed, incomplete } = left;
    const last = await startPart('worker', env);
    await expect.poll(() => changes(last), { timeout: 180_000, interval: 200 }).toBe(KEYS - changed);
    await expect.poll(() => completed(last), { timeout: 180_000, interval: 200 }).toBeGreaterThanOrEqual(incomplete);
    await last.kill('SIGTERM');
    left = await withStore(progress);
  }
  await withStore(async (store) => {
    const keys = await store.query(
      `SELECT status, count() AS n, max(version) AS version FROM keys FINAL GROUP BY status ORDER BY status`,
    );
    expect(keys).toEqual([
      { status: 'expired', n: KEYS / 2, version: 2 },
      { status: 'inactive', n: KEYS / 2, version: 2 },
    ]);
    // As everybody reads it (workers/keys/audit.ts): a writer that was only slow may write what was completed for it, the same entry.
    const [audit] = await store.query<object>(
      `SELECT count() AS n, uniqExact(id) AS unique, uniqExact(subject) AS keys
       FROM (SELECT * FROM audit WHERE startsWith(action, 'key.') LIMIT 1 BY at, action, id, version)`,
    );
    expect(audit).toEqual({ n: KEYS, unique: KEYS, keys: KEYS });
    const [events] = await store.query<object>(
      "SELECT count() AS n, uniqExact(key_id) AS keys FROM key_events FINAL WHERE type IN ('key.expired', 'key.deactivated') AND endsWith(id, '@2')",
    );
    expect(events).toEqual({ n: KEYS, keys: KEYS });
  });
}, 400_000);
