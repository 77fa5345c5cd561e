import type { DoctorSnapshot } from '../doctor-snapshot.ts';
import { daysUntilFull } from './doctor-disk.ts';
import { MEASURED } from './doctor-model.ts';

/** One thing that can break, when, and what to do. */
export interface Finding {
  part: 'redis_memory' | 'redis_policy' | 'queue' | 'disk' | 'workers' | 'failures';
  severity: 'ok' | 'warning' | 'critical';
  says: string;
  /** Seconds until it breaks if all goes on like this; null = it does not. */
  breaks_in_seconds: number | null;
  advice: string;
}

/** The collector refuses records from this share of Redis' memory on. */
const REDIS_FULL_RATIO = 0.85;
const HOUR_SECONDS = 3_600;
const DAY_SECONDS = 86_400;
/** A batch that waits longer than this means that the workers do not keep up. */
const LATE_SECONDS = 30;
const BUSY_RATIO = 0.7;

/**
 * What will break first, soonest first. Pure.
 * @param before an earlier snapshot: what grows is what the two differ in
 */
export function diagnose(before: DoctorSnapshot, now: DoctorSnapshot): Finding[] {
  const findings = [
    ...redisMemory(before, now),
    ...redisPolicy(now),
    queue(before, now),
    disk(now),
    workers(now),
    failures(now),
  ];
  const soonest = (finding: Finding) => finding.breaks_in_seconds ?? Number.POSITIVE_INFINITY;
  const rank = { critical: 0, warning: 1, ok: 2 };
  return findings.sort((a, b) => soonest(a) - soonest(b) || rank[a.severity] - rank[b.severity]);
}

function severityOf(breaksInSeconds: number | null): Finding['severity'] {
  if (breaksInSeconds === null) return 'ok';
  if (breaksInSeconds < HOUR_SECONDS) return 'critical';
  return breaksInSeconds < 14 * DAY_SECONDS ? 'warning' : 'ok';
}

function redisMemory(before: DoctorSnapshot, now: DoctorSnapshot): Finding[] {
  const seconds = (now.at_ms - before.at_ms) / 1000;
  return now.redis.nodes.map((node, at): Finding => {
    const grown = node.used_bytes - (before.redis.nodes[at]?.used_bytes ?? node.used_bytes);
    const perSecond = seconds > 0 ? grown / seconds : 0;
    const room = node.max_bytes * REDIS_FULL_RATIO - node.used_bytes;
    // A little up and down is the life of a queue; only what would fill it within a month is growth.
    const fills = node.max_bytes > 0 && perSecond * 30 * DAY_SECONDS > room && perSecond > 1_000;
    const breaks = node.max_bytes > 0 && room <= 0 ? 0 : fills ? Math.round(room / perSecond) : null;
    const hours = room / MEASURED.redisBytes / Math.max(now.requests_per_second, 1) / HOUR_SECONDS;
    return {
      part: 'redis_memory',
      severity: node.max_bytes === 0 ? 'warning' : severityOf(breaks),
      says:
        node.max_bytes === 0
          ? `Redis ${node.name} has no memory limit`
          : `Redis ${node.name} uses ${percent(node.used_bytes / node.max_bytes)} of its memory; the rest holds ${hours.toFixed(1)} hours of present traffic`,
      breaks_in_seconds: breaks,
      advice: memoryAdvice(node.max_bytes, breaks),
    };
  });
}

function memoryAdvice(maxBytes: number, breaksInSeconds: number | null): string {
  if (maxBytes === 0)
    return 'set maxmemory, with maxmemory-policy noeviction: nothing refuses records before the machine runs out of memory';
  if (breaksInSeconds === null) return '';
  return 'more workers if ClickHouse has time, else more memory; records are refused with 503 at 85 %';
}

function redisPolicy({ redis }: DoctorSnapshot): Finding[] {
  return redis.nodes
    .filter(({ policy, max_bytes: max }) => policy !== 'noeviction' && max > 0)
    .map(({ name, policy }) => ({
      part: 'redis_policy',
      severity: 'critical',
      says: `Redis ${name} throws keys away when it is full (maxmemory-policy ${policy})`,
      breaks_in_seconds: null,
      advice: 'set maxmemory-policy noeviction',
    }));
}

function queue(before: DoctorSnapshot, now: DoctorSnapshot): Finding {
  const { waiting, oldest_seconds: oldest } = now.queue;
  const grows = waiting > before.queue.waiting && oldest > LATE_SECONDS;
  return {
    part: 'queue',
    severity: oldest <= LATE_SECONDS ? 'ok' : grows ? 'critical' : 'warning',
    says: `${waiting} batches wait, the oldest for ${Math.round(oldest)} s${grows ? ', and they become more' : ''}`,
    breaks_in_seconds: null,
    advice: oldest > LATE_SECONDS ? 'look at ClickHouse first (inserts, merges), then add workers' : '',
  };
}

function disk(now: DoctorSnapshot): Finding {
  const days = daysUntilFull(now);
  const { free_bytes: free, total_bytes: total } = now.disk;
  const breaks = days === null ? null : (days - 1) * DAY_SECONDS;
  return {
    part: 'disk',
    severity: severityOf(breaks),
    says: `${gigabytes(free)} of ${gigabytes(total)} are free${days === null ? '; enough for ten years of present traffic' : `; full in about ${days} days at present traffic`}`,
    breaks_in_seconds: breaks,
    advice: days === null ? '' : 'shorten RETENTION_REQUESTS_DAYS, add disk, or move older parts to a cold volume',
  };
}

function workers(now: DoctorSnapshot): Finding {
  const processes = Math.max(1, now.queue.workers);
  const micros = MEASURED.workerMicros + (now.embedded ? MEASURED.engineMicros * (1 + MEASURED.mergeShare) : 0);
  const capacity = (processes * 1e6) / micros;
  const busy = now.peak_per_second / capacity;
  return {
    part: 'workers',
    severity: busy > 1 ? 'critical' : busy > BUSY_RATIO ? 'warning' : 'ok',
    says: `${processes} worker${processes === 1 ? '' : 's'} can take about ${Math.round(capacity)} requests/s by the model; the busiest minute of the last day had ${Math.round(now.peak_per_second)}/s (${percent(busy)})`,
    breaks_in_seconds: null,
    advice: busy > BUSY_RATIO ? (now.embedded ? 'run ClickHouse as a server of its own' : 'add workers') : '',
  };
}

function failures({ queue: { failed }, dead_letters: letters }: DoctorSnapshot): Finding {
  const bad = failed + letters > 0;
  return {
    part: 'failures',
    severity: bad ? 'warning' : 'ok',
    says: `${letters} rows in dead_letters, ${failed} failed batches`,
    breaks_in_seconds: null,
    advice: bad ? 'look at the reasons in dead_letters' : '',
  };
}

function percent(ratio: number): string {
  return `${(ratio * 100).toFixed(1)} %`;
}

function gigabytes(bytes: number): string {
  return `${(bytes / 1e9).toFixed(1)} GB`;
}
