import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { residentMegabytes } from '../support/part-metric.ts';
import { type PartProcess, startPart } from '../support/process.ts';
import { BENCH_TOKEN } from './bench-traffic.ts';

const MANY = 1_000_000;
const PER_POST = 5_000;
const PROBES = 40;
const PROBE_PAUSE_MS = 100;
const LIGHT_PER_POST = 10;
/** A hundred times what the light one's probes make at best. */
const HEAVY_PER_SECOND = 2_000;
const HEAVY_PER_POST = 1_000;
const HEAVY_SECONDS_BEFORE = 5;

/** Traffic that is not even: memory with very many routes and keys, and others' freshness beside one that sends a hundred times as much. */
export async function benchSkew(
  say: (line: string) => void,
  flags: readonly string[],
): Promise<Record<string, number>> {
  const many = flags.includes('--quick') ? MANY / 10 : MANY;
  const folder = mkdtempSync(join(tmpdir(), 'keytally-skew-'));
  const env = { KEYTALLY_DATA_DIR: folder, KEYTALLY_ADMIN_TOKEN: BENCH_TOKEN, API_REQUESTS_PER_MINUTE: '1000000' };
  const keytally = await startPart('start', { ...env, INGEST_REQUESTS_PER_MINUTE: '1000000' });
  const figures: Record<string, number> = { many, rss_mb_at_start: await residentMegabytes(keytally.url) };
  const note = (name: string, value: number) => {
    figures[name] = Number(value.toFixed(2));
    say(`${name}: ${figures[name]}`);
  };
  try {
    await fairness(keytally, note);
    note('rss_mb_with_a_heavy_organization', await residentMegabytes(keytally.url));
    const routes = (n: number) => ({ key_id: 'one', path: `/${word(n)}/${word(n * 7 + 1)}`, status: 200 });
    note('rss_mb_one_key_many_routes', await sendMany(keytally, many, routes));
    const usage = await call(keytally, '/v1/keys/one/usage');
    note('requests_of_that_key', usage.totals.requests);
    note('routes_of_that_key', usage.endpoints.length);
    note('rss_mb_many_keys', await sendMany(keytally, many, (n) => ({ key_id: `many-${n}`, path: '/a', status: 200 })));
    note('rss_mb_a_minute_later', await sleep(60_000).then(() => residentMegabytes(keytally.url)));
    return figures;
  } finally {
    await keytally.kill('SIGTERM');
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Time from POST to the figures of its key, of an organization that sends little: alone, then beside a heavy one. */
async function fairness(keytally: PartProcess, note: (name: string, value: number) => void): Promise<void> {
  const tokenOf = async (name: string) =>
    (await call(keytally, '/v1/tokens', { name, scopes: ['ingest', 'read'], organization_id: name })).token as string;
  const [light, heavy] = [await tokenOf('light'), await tokenOf('heavy')];
  await freshness(keytally, light, 'warm', 5);
  const alone = await freshness(keytally, light, 'alone', PROBES);
  note('freshness_p50_ms_alone', percentile(alone, 0.5));
  note('freshness_p95_ms_alone', percentile(alone, 0.95));
  for (const [name, pauseMs] of [
    ['beside_heavy', (HEAVY_PER_POST / HEAVY_PER_SECOND) * 1_000],
    ['beside_one_without_limit', 0],
  ] as const) {
    const load = { isOver: false, sent: 0 };
    const sending = keepSending(keytally, heavy, load, pauseMs);
    await sleep(HEAVY_SECONDS_BEFORE * 1000);
    const beside = await freshness(keytally, light, name, PROBES);
    load.isOver = true;
    await sending;
    note(`records_sent_${name}`, load.sent);
    note(`freshness_p50_ms_${name}`, percentile(beside, 0.5));
    note(`freshness_p95_ms_${name}`, percentile(beside, 0.95));
    note(`ratio_p50_${name}`, percentile(beside, 0.5) / percentile(alone, 0.5));
    note(`ratio_p95_${name}`, percentile(beside, 0.95) / percentile(alone, 0.95));
  }
}

async function freshness(keytally: PartProcess, token: string, name: string, probes: number): Promise<number[]> {
  const times: number[] = [];
  for (let n = 0; n < probes; n++) {
    const keyId = `${name}-${n}`;
    const startedAt = performance.now();
    await post(
      keytally,
      token,
      Array.from({ length: LIGHT_PER_POST }, () => ({ key_id: keyId, status: 200, path: '/a' })),
    );
    while ((await call(keytally, `/v1/keys/${keyId}/usage`, undefined, token))?.totals?.requests !== LIGHT_PER_POST)
      await sleep(20);
    times.push(performance.now() - startedAt);
    await sleep(PROBE_PAUSE_MS);
  }
  return times;
}

/** @param pauseMs between two POSTs; 0 = four connections, one POST after another: more than can be taken */
async function keepSending(
  keytally: PartProcess,
  token: string,
  load: { isOver: boolean; sent: number },
  pauseMs: number,
): Promise<void> {
  const records = Array.from({ length: HEAVY_PER_POST }, (_, n) => ({
    key_id: `h${n % 50}`,
    status: 200,
    path: `/v1/${n % 20}`,
  }));
  const sender = async () => {
    while (!load.isOver) {
      await post(keytally, token, records);
      load.sent += records.length;
      if (pauseMs > 0) await sleep(pauseMs);
    }
  };
  await Promise.all(Array.from({ length: pauseMs > 0 ? 1 : 4 }, sender));
}

/** @returns memory when all are counted */
async function sendMany(keytally: PartProcess, count: number, recordOf: (n: number) => object): Promise<number> {
  for (let at = 0; at < count; at += PER_POST) {
    await post(
      keytally,
      BENCH_TOKEN,
      Array.from({ length: PER_POST }, (_, n) => recordOf(at + n)),
    );
  }
  const waiting = async () => (await call(keytally, '/v1/doctor')).queue;
  for (;;) {
    const { waiting: left, active } = await waiting();
    if (left + active === 0) break;
    await sleep(500);
  }
  return residentMegabytes(keytally.url);
}

async function post(keytally: PartProcess, token: string, records: readonly object[]): Promise<void> {
  for (;;) {
    const headers = { Authorization: `Bearer ${token}`, 'Content-Type': 'application/x-ndjson' };
    const body = records.map((record) => JSON.stringify(record)).join('\n');
    const response = await fetch(`${keytally.url}/v1/requests`, { method: 'POST', headers, body });
    await response.arrayBuffer();
    if (response.status === 202) return;
    if (response.status !== 503) throw new Error(`answered ${response.status}`);
    await sleep(200);
  }
}

async function call(keytally: PartProcess, path: string, body?: object, token = BENCH_TOKEN) {
  const headers = { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' };
  const response = await fetch(
    keytally.url + path,
    body ? { method: 'POST', headers, body: JSON.stringify(body) } : { headers },
  );
  // biome-ignore lint/suspicious/noExplicitAny: answers are read for a figure or two.
  return (await response.json()) as any;
}

/** A word without digits, so that it is a route of its own and not an id. */
function word(n: number): string {
  let text = '';
  for (let rest = n + 26; rest > 0; rest = Math.floor(rest / 26)) text += String.fromCharCode(97 + (rest % 26));
  return `p${text}`;
}

function percentile(values: readonly number[], level: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(level * sorted.length))]!;
}
