import { Link } from '../address/link.tsx';
import { go } from '../address/location.ts';
import { keyPath } from '../address/route.ts';
import { Sparkline } from '../charts/sparkline.tsx';
import { formatCompact, formatCount, formatPercent } from '../format/number.ts';
import type { ApiKey } from '../http/contract/keys.ts';
import { countryName } from '../map/country-name.ts';
import { HostileText } from '../panels/hostile-text.tsx';
import { StatusBadge } from '../panels/status-badge.tsx';
import { formatInstant, relativeTime } from '../time/label.ts';
import { DAY } from '../time/range.ts';
import { browserZone } from '../time/zone-names.ts';
import { Meter } from '../usage-tab/limit-card.tsx';
import { tightestLimit } from '../usage-tab/limit-use.ts';

interface KeyRowProps {
  apiKey: ApiKey;
  now: number;
  /** Number of the row in the whole table, of which a part is drawn. */
  place: number;
  onOrganization: (organization: string) => void;
}

function errorTone(rate: number | null): string {
  if (rate === null || rate < 0.01) return 'dim';
  return rate >= 0.05 ? 'bad' : 'warn';
}

export function KeyRow({ apiKey: key, now, place, onOrganization }: KeyRowProps) {
  const open = (event: MouseEvent) => {
    // The link in the row is for keyboards and new tabs; a mouse may hit anywhere, unless it is marking text.
    if ((event.target as Element).closest('a, button') || getSelection()?.toString()) return;
    go(keyPath(key.key_id));
    scrollTo(0, 0);
  };
  return (
    // the link in the first cell does the same by keyboard
    <tr class="opens" onClick={open} aria-rowindex={place}>
      <th scope="row">
        <Link href={keyPath(key.key_id)} class="key-link">
          <HostileText value={key.name || key.key_id} />
        </Link>
        <span class="sub">
          {key.name && <HostileText value={key.key_id} class="mono" />}
          {key.environment && <HostileText value={key.environment} class={`environment-${key.environment}`} />}
          {key.expires_at && key.status === 'active' && <Expiry at={key.expires_at} now={now} />}
        </span>
      </th>
      <td>
        <StatusBadge status={key.status} reason={key.status_reason} />
      </td>
      <td class="wide-only">
        {key.organization_id ? (
          <button type="button" class="quiet inline" onClick={() => onOrganization(key.organization_id!)}>
            <HostileText value={key.organization_id} />
          </button>
        ) : (
          <span class="dim">–</span>
        )}
      </td>
      <LastUsedCell apiKey={key} now={now} />
      <td class="spark wide-only">{key.series && <Sparkline {...key.series} unit="day" />}</td>
      <td class="num" title={formatCount(key.requests_30d)}>
        {formatCompact(key.requests_30d)}
      </td>
      <td class={`num ${errorTone(key.error_rate_30d)}`}>
        {key.requests_30d ? formatPercent(key.error_rate_30d) : '–'}
      </td>
      <td class="num wide-only" title={formatCount(key.total_requests)}>
        {formatCompact(key.total_requests)}
      </td>
      <LimitCell apiKey={key} />
    </tr>
  );
}

const EXPIRY_NOTE = 30 * DAY;

/** Only while it is near: a date years ahead is noise in a list. */
function Expiry({ at, now }: { at: string; now: number }) {
  if (Date.parse(at) - now > EXPIRY_NOTE) return null;
  return <span class="warn">expires {relativeTime(at, now)}</span>;
}

function LastUsedCell({ apiKey, now }: { apiKey: ApiKey; now: number }) {
  const use = apiKey.last_used;
  if (!use) return <td class="dim">never</td>;
  return (
    <td title={formatInstant(use.at, browserZone())}>
      {relativeTime(use.at, now)}
      <span class="sub">{use.country ? countryName(use.country) : ''}</span>
    </td>
  );
}

function LimitCell({ apiKey }: { apiKey: ApiKey }) {
  const use = tightestLimit(apiKey);
  if (!use) return <td class="wide-only dim">–</td>;
  const text = formatPercent(use.share);
  return (
    <td
      class="wide-only limit-cell"
      title={use.limit === null ? text : `${text} of ${formatCount(use.limit)} ${use.period}`}
    >
      <Meter share={use.share} label={`${text} of the limit in use`} />
      {text}
    </td>
  );
}
