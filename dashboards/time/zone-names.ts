import { knownZone } from './zone.ts';

/** Chromium still answers with names that their cities have left behind; people look for today's. */
const RENAMED: Record<string, string> = {
  'Asia/Calcutta': 'Asia/Kolkata',
  'Asia/Katmandu': 'Asia/Kathmandu',
  'Asia/Rangoon': 'Asia/Yangon',
  'Asia/Saigon': 'Asia/Ho_Chi_Minh',
  'Atlantic/Faeroe': 'Atlantic/Faroe',
  'America/Buenos_Aires': 'America/Argentina/Buenos_Aires',
  'America/Godthab': 'America/Nuuk',
  'Europe/Kiev': 'Europe/Kyiv',
};

function todaysName(zone: string): string {
  return knownZone(RENAMED[zone] ?? null) ?? zone;
}

let own: string | undefined;

/** Asked once: building a DateTimeFormat takes milliseconds, and every drawing of a page needs the answer. */
export function browserZone(): string {
  own ??= todaysName(Intl.DateTimeFormat().resolvedOptions().timeZone || 'UTC');
  return own;
}

export function allZones(): string[] {
  const zones = Intl.supportedValuesOf('timeZone').map(todaysName).sort();
  return zones.includes('UTC') ? zones : ['UTC', ...zones];
}
