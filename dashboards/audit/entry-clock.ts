/** Writes when something was done, with its year: entries are kept for five. The page names the zone once. */
export function entryClock(zone: string, locale?: string): (at: string) => string {
  const clock = new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeStyle: 'medium', timeZone: zone });
  return (at) => clock.format(new Date(at));
}
