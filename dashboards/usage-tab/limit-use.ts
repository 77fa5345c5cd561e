import type { BucketLimit } from '../charts/chart-props.ts';
import type { ApiKey, Limits } from '../http/contract/keys.ts';
import type { Usage } from '../http/contract/usage.ts';
import type { Bucket } from '../time/buckets.ts';
import { offsetAt } from '../time/zone.ts';

const NAMES: Record<keyof Limits, string> = {
  per_minute: 'a minute',
  per_day: 'a day',
  per_month: 'a month',
  burst: 'at once',
};

export interface LimitUse {
  share: number;
  limit: number | null;
  period: string;
}

/** The limit that will be hit first. */
export function tightestLimit(key: Pick<ApiKey, 'limits' | 'utilization'>): LimitUse | null {
  let tightest: LimitUse | null = null;
  for (const [name, share] of Object.entries(key.utilization ?? {})) {
    if (typeof share !== 'number' || !(name in NAMES)) continue;
    const field = name as keyof Limits;
    if (!tightest || share > tightest.share) {
      tightest = { share, limit: key.limits?.[field] ?? null, period: NAMES[field] };
    }
  }
  return tightest;
}

/** When the first of the limits is used up at the present pace, RFC 3339; null when none will be in its window. */
export function limitFullAt({ utilization }: Pick<ApiKey, 'utilization'>): string | null {
  const times = Object.values(utilization?.forecast ?? {}).filter((at) => typeof at === 'string');
  return times.sort((a, b) => Date.parse(a) - Date.parse(b))[0] ?? null;
}

/** For a key whose limits are known but not their use. */
export function statedLimit(limits: Limits | null): { limit: number; period: string } | null {
  for (const [name, limit] of Object.entries(limits ?? {})) {
    if (typeof limit === 'number' && name in NAMES) return { limit, period: NAMES[name as keyof Limits] };
  }
  return null;
}

/** From here on a limit is worth a warning colour. */
export const NEAR_LIMIT = 0.8;

const FIELDS: Partial<Record<Bucket, keyof Limits>> = { minute: 'per_minute', day: 'per_day', month: 'per_month' };

type Buckets = Pick<Usage, 'bucket' | 'timezone' | 'series' | 'to'>;

/** The limit of a bar of this length. A quarter hour has none of its own. */
export function limitOfBucket(limits: Limits | null, usage: Buckets): BucketLimit | null {
  const field = FIELDS[usage.bucket];
  const requests = field && limits?.[field];
  if (!requests) return null;
  const comparable = field === 'per_minute' || inUtc(usage);
  return { requests, comparable, label: `limit ${comparable ? NAMES[field] : NAMES[field].replace('a ', 'a UTC ')}` };
}

/** Whether days and months of this zone are those of UTC, by which limits count. */
function inUtc({ series, to, timezone }: Buckets): boolean {
  return [...series.map(({ start }) => start), to].every((at) => offsetAt(Date.parse(at), timezone) === 0);
}
