import { BUCKETS, type Bucket, type BucketChoice, bucketFits } from '../time/buckets.ts';
import { resolveRange } from '../time/range.ts';
import { readTimeView, searchText, type TimeView, timeFields } from '../time/time-view.ts';

/** Everything the usage tab shows depends on this and the key; it lives in the address, so a link restores it. */
export interface UsageView extends TimeView {
  bucket: BucketChoice;
  filter: UsageFilter;
  /** Whether the series of some days before is drawn, too. */
  compare: boolean;
}

export interface UsageFilter {
  method?: string;
  route?: string;
  status?: string;
  country?: string;
}

export const FILTERS = ['method', 'route', 'status', 'country'] as const;

export function readView(search: URLSearchParams, viewerZone: string): UsageView {
  const bucket = search.get('bucket');
  const filter: UsageFilter = {};
  for (const name of FILTERS) {
    const value = search.get(name);
    if (value) filter[name] = value;
  }
  return {
    ...readTimeView(search, viewerZone),
    bucket: BUCKETS.includes(bucket as Bucket) ? (bucket as Bucket) : 'auto',
    filter,
    compare: search.get('compare') === '1',
  };
}

export function writeView(view: UsageView): string {
  const filter = Object.fromEntries(FILTERS.map((name) => [name, view.filter[name]]));
  return searchText({ ...timeFields(view), bucket: view.bucket, compare: view.compare ? '1' : '', ...filter });
}

/** A bucket too short for a newly chosen range gives way to the automatic one; the api would refuse it. */
export function withFittingBucket(view: UsageView, now: number): UsageView {
  const { from, to } = resolveRange(view.range, now, view.zone);
  return bucketFits(view.bucket, to - from) ? view : { ...view, bucket: 'auto' };
}

export function hasFilter(filter: UsageFilter): boolean {
  return FILTERS.some((name) => filter[name]);
}

/** A second click on the same value takes the filter away. */
export function toggleFilter(filter: UsageFilter, change: UsageFilter): UsageFilter {
  const active = FILTERS.every((name) => !(name in change) || filter[name] === change[name]);
  const next: UsageFilter = { ...filter };
  for (const name of FILTERS) {
    if (!(name in change)) continue;
    if (active || !change[name]) delete next[name];
    else next[name] = change[name];
  }
  return next;
}
