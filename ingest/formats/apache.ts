import { clfEntry, isClfLine } from './common-log.ts';
import { type EntryFormat, formatOf } from './entry-format.ts';
import { mapNginx } from './nginx.ts';
import { Refusal } from './refusal.ts';

/**
 * Apache httpd: common, combined and vhost_combined lines.
 * Lines are written when requests end but carry the time they started, so they are out of order; each stands alone.
 */
export const apacheEntry: EntryFormat = {
  name: 'apache',
  // JSON of Apache is whatever LogFormat makes of it; with nginx's names it is read as nginx.
  isEntry: () => false,
  mapEntry: mapNginx,
  isLine: isClfLine,
  mapLine(line, options) {
    const entry = clfEntry(line);
    return entry instanceof Refusal ? entry : mapNginx(entry, options);
  },
};

export const apache = formatOf(apacheEntry);
