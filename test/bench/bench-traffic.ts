import type { Redis } from '../../ingest/redis.ts';
import { sha256, TOKENS_KEY } from '../../ingest/token.ts';
import type { Random } from '../support/random.ts';

/** Administrator of a benchmark's own throw-away system. */
export const BENCH_TOKEN = 'kt_benchmarkbenchmarkbenchmarkbenchmark00';

const KEYS = 500;
const AGENTS = ['curl/8.5', 'okhttp/4.12', 'python-requests/2.32', 'axios/1.7', 'Go-http-client/2.0'];
const HEX = '0123456789abcdef';

function uuid(random: Random): string {
  let text = '';
  for (let i = 0; i < 32; i++) text += HEX[Math.floor(random.next() * 16)]!;
  return `${text.slice(0, 8)}-${text.slice(8, 12)}-4${text.slice(13, 16)}-a${text.slice(17, 20)}-${text.slice(20)}`;
}

/**
 * Records as a gateway sends them in the last half minute: few busy keys and many quiet ones, ids in paths, a few
 * addresses per key, latencies with one decimal.
 */
export function benchTraffic(random: Random, count: number, nowMs: number, withUuid: boolean) {
  return Array.from({ length: count }, (_, n) => {
    const key = Math.floor(random.next() * random.next() * KEYS);
    const part = random.integer(0, 19);
    return {
      key_id: `key_${key}`,
      timestamp: nowMs - 30_000 + Math.floor((n / count) * 30_000) + random.integer(0, 40),
      method: random.pick(['GET', 'GET', 'GET', 'POST']),
      path: `/v1/things/${random.integer(1, 10_000)}/part${part}`,
      route: `/v1/things/{id}/part${part}`,
      status: random.pick([200, 200, 200, 200, 200, 201, 404, 500]),
      latency_ms: Math.round(random.next() ** 3 * 5_000) / 10,
      request_bytes: random.integer(0, 500),
      response_bytes: random.integer(100, 20_000),
      ip: `${20 + (key % 150)}.${key % 250}.7.${random.integer(1, 3)}`,
      user_agent: AGENTS[key % AGENTS.length]!,
      service: 'api',
      environment: 'production',
      ...(withUuid ? { request_id: uuid(random) } : {}),
    };
  });
}

/** The same as bodies of NDJSON. */
export function bodiesOf(random: Random, records: number, perPost: number, withUuid: boolean): Buffer[] {
  return Array.from({ length: Math.ceil(records / perPost) }, () =>
    Buffer.from(
      benchTraffic(random, perPost, Date.now(), withUuid)
        .map((record) => JSON.stringify(record))
        .join('\n'),
    ),
  );
}

/** What a worker does at its start: the collector takes records of this token. */
export async function knowToken(redis: Redis): Promise<void> {
  const grant = { id: 'bench', name: 'bench', scopes: ['admin'], organizationId: '', keyId: '', expiresAtMs: 0 };
  await redis.hset(TOKENS_KEY, sha256(BENCH_TOKEN), JSON.stringify(grant));
}
