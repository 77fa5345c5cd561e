import type { Redis } from '../../ingest/redis.ts';
import { partMetric } from '../support/part-metric.ts';

/** CPU microseconds, user and system, of all threads of this process. */
function cpuMicros(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}

/** CPU microseconds that `work` takes in this process, its threads (compression, engine) and garbage collection included. */
export async function cpuOf(work: () => unknown): Promise<number> {
  const before = cpuMicros();
  await work();
  return cpuMicros() - before;
}

/** The least of several rounds: what others on the machine disturb only adds. */
export async function leastCpuOf(rounds: number, work: (round: number) => unknown): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  for (let round = 0; round < rounds; round++) least = Math.min(least, await cpuOf(() => work(round)));
  return least;
}

/** CPU microseconds that a Redis server has used so far. */
export async function redisCpuMicros(redis: Redis): Promise<number> {
  const info = await redis.info('cpu');
  const seconds = (name: string) => Number(new RegExp(`^${name}:([\\d.]+)`, 'm').exec(info)?.[1] ?? 0);
  return (seconds('used_cpu_user') + seconds('used_cpu_sys')) * 1e6;
}

/** CPU microseconds that a part has used so far, from its metrics. */
export async function partCpuMicros(url: string): Promise<number> {
  return (await partMetric(url, 'process_cpu_seconds_total')) * 1e6;
}
