import { DEFAULT_RANGE, isPreset, type RangeChoice } from './range.ts';
import { knownZone } from './zone.ts';

/** Which part of time a page shows, and in whose clock. Every page keeps it in the address in the same words. */
export interface TimeView {
  range: RangeChoice;
  zone: string;
  live: boolean;
}

function readRange(search: URLSearchParams, fallback: RangeChoice): RangeChoice {
  const preset = search.get('range');
  if (isPreset(preset)) return { preset };
  const from = Date.parse(search.get('from') ?? '');
  const to = Date.parse(search.get('to') ?? '');
  return from < to ? { from, to } : fallback;
}

/** Nonsense in an address falls back to the default: a hand-edited link should still open. */
export function readTimeView(search: URLSearchParams, viewerZone: string, fallback = DEFAULT_RANGE): TimeView {
  return {
    range: readRange(search, fallback),
    zone: knownZone(search.get('tz')) ?? viewerZone,
    live: search.get('live') === '1',
  };
}

/** Written out in full, zone included: the colleague who opens the link sees the same hours. */
export function timeFields({ range, zone, live }: TimeView): Record<string, string> {
  const span: Record<string, string> =
    'preset' in range
      ? { range: range.preset }
      : { from: new Date(range.from).toISOString(), to: new Date(range.to).toISOString() };
  return { ...span, tz: zone, ...(live && { live: '1' }) };
}

/** Readable in a chat: slashes of a zone and colons of a time need no escaping in a query. */
export function searchText(fields: Record<string, string | undefined>): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(fields)) if (value) search.set(name, value);
  return search.toString().replaceAll('%2F', '/').replaceAll('%3A', ':');
}
