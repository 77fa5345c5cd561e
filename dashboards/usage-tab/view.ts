import { BUCKETS, type Bucket, type BucketChoice } from '../time/buckets.ts';
import { DEFAULT_RANGE, isPreset, type RangeChoice } from '../time/range.ts';
import { knownZone } from '../time/zone.ts';

/** Everything the usage tab shows depends on this and the key; it lives in the address, so a link restores it. */
export interface UsageView {
  range: RangeChoice;
  zone: string;
  bucket: BucketChoice;
  filter: UsageFilter;
  live: boolean;
}

export interface UsageFilter {
  method?: string;
  route?: string;
  status?: string;
  country?: string;
}

export const FILTERS = ['method', 'route', 'status', 'country'] as const;

function readRange(search: URLSearchParams): RangeChoice {
  const preset = search.get('range');
  if (isPreset(preset)) return { preset };
  const from = Date.parse(search.get('from') ?? '');
  const to = Date.parse(search.get('to') ?? '');
  return from < to ? { from, to } : DEFAULT_RANGE;
}

/** Nonsense in an address falls back to the default: a hand-edited link should still open. */
export function readView(search: URLSearchParams, viewerZone: string): UsageView {
  const bucket = search.get('bucket');
  const filter: UsageFilter = {};
  for (const name of FILTERS) {
    const value = search.get(name);
    if (value) filter[name] = value;
  }
  return {
    range: readRange(search),
    zone: knownZone(search.get('tz')) ?? viewerZone,
    bucket: BUCKETS.includes(bucket as Bucket) ? (bucket as Bucket) : 'auto',
    filter,
    live: search.get('live') === '1',
  };
}

/** Written out in full, zone included: the colleague who opens the link sees the same hours. */
export function writeView(view: UsageView): string {
  const search = new URLSearchParams();
  if ('preset' in view.range) search.set('range', view.range.preset);
  else {
    search.set('from', new Date(view.range.from).toISOString());
    search.set('to', new Date(view.range.to).toISOString());
  }
  search.set('tz', view.zone);
  search.set('bucket', view.bucket);
  for (const name of FILTERS) {
    const value = view.filter[name];
    if (value) search.set(name, value);
  }
  if (view.live) search.set('live', '1');
  // Readable in a chat: slashes of a zone and colons of a time need no escaping in a query.
  return search.toString().replaceAll('%2F', '/').replaceAll('%3A', ':');
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
