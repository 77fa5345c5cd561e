import { readTimeView, searchText, type TimeView, timeFields } from '../time/time-view.ts';
import type { UsageView } from '../usage-tab/view.ts';

/** The same names in the address and in the api's query. */
export const REQUEST_FILTERS = ['key_id', 'status', 'method', 'route', 'country', 'service', 'environment'] as const;
export type RequestFilterName = (typeof REQUEST_FILTERS)[number];
export type RequestFilter = Partial<Record<RequestFilterName, string>>;

export const FILTER_LABELS: Partial<Record<RequestFilterName, string>> = { key_id: 'key' };

/** Which requests the explorer shows; the address holds all of it. */
export interface RequestsView extends TimeView {
  filter: RequestFilter;
}

export function readRequestsView(search: URLSearchParams, viewerZone: string): RequestsView {
  const filter: RequestFilter = {};
  for (const name of REQUEST_FILTERS) {
    const value = search.get(name);
    if (value) filter[name] = value;
  }
  return { ...readTimeView(search, viewerZone, { preset: '24h' }), filter };
}

export function writeRequestsView(view: RequestsView): string {
  const filter = Object.fromEntries(REQUEST_FILTERS.map((name) => [name, view.filter[name]]));
  return searchText({ ...timeFields(view), ...filter });
}

/** The requests behind what a usage tab shows. */
export function requestsOfUsage(keyId: string, { range, zone, live, filter }: UsageView): RequestsView {
  return { range, zone, live, filter: { key_id: keyId, ...filter } };
}

export function requestsPath(view: RequestsView): string {
  return `/requests?${writeRequestsView(view)}`;
}

export type TypedFilter = { value: string } | { wrong: string };

/** What somebody typed, as the api wants it. */
export function typedFilter(name: RequestFilterName, typed: string): TypedFilter {
  const value = typed.trim();
  if (name === 'method') return { value: value.toUpperCase() };
  if (name === 'status') {
    const status = value.toLowerCase();
    return /^[1-5](xx|\d\d)$/.test(status) ? { value: status } : { wrong: 'A status such as 404, or a class: 5xx.' };
  }
  if (name === 'country') {
    const code = value.toUpperCase();
    return /^[A-Z]{2}$/.test(code) ? { value: code } : { wrong: 'Two letters, such as SE or US.' };
  }
  return { value };
}
