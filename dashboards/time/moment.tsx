import { formatInstant, relativeTime } from './label.ts';
import { browserZone } from './zone-names.ts';

/** A point in time as people think of it; the exact one is in its title and for machines. */
export function Moment({ at, now = Date.now() }: { at: string; now?: number }) {
  return (
    <time dateTime={at} title={formatInstant(at, browserZone())}>
      {relativeTime(at, now)}
    </time>
  );
}
