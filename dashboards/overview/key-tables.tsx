import { Link } from '../address/link.tsx';
import { keyPath } from '../address/route.ts';
import { relativeChange } from '../format/change.ts';
import { formatCompact, formatCount, formatPercent } from '../format/number.ts';
import type { ApiKey, UsageGroup } from '../http/contract.ts';
import { ErrorShare } from '../panels/error-share.tsx';
import { HostileText } from '../panels/hostile-text.tsx';
import { RankedTable } from '../panels/ranked-table.tsx';
import { relativeTime } from '../time/label.ts';
import type { TimeView } from '../time/time-view.ts';
import { type LimitUse, NEAR_LIMIT, tightestLimit } from '../usage-tab/limit-use.ts';
import { writeOverviewView } from './overview-view.ts';
import { failingGroups, groupsByName } from './totals.ts';

interface KeyLinkProps {
  keyId: string;
  name: string | null | undefined;
  view: TimeView;
}

/** Opens the key in the range that is being looked at. */
function KeyLink({ keyId, name, view }: KeyLinkProps) {
  return (
    <Link href={`${keyPath(keyId)}?${writeOverviewView(view)}`} class="row-filter">
      <HostileText value={name || keyId} class={name ? '' : 'mono'} />
      {name && <HostileText value={keyId} class="mono dim" />}
    </Link>
  );
}

interface UsedKeysProps {
  groups: readonly UsageGroup[];
  before: readonly UsageGroup[] | undefined;
  names: ReadonlyMap<string, string | null>;
  view: TimeView;
}

export function TopKeysTable({ groups, before, names, view }: UsedKeysProps) {
  const most = groups[0]?.requests ?? 0;
  const earlier = groupsByName(before);
  const change = (row: UsageGroup) =>
    relativeChange(row.requests, before ? (earlier.get(row.group)?.requests ?? 0) : null).text || '–';
  return (
    <RankedTable
      title="Top keys"
      testId="keys-table"
      short={14}
      rows={groups}
      rowKey={(row) => row.group}
      weight={(row) => (most ? row.requests / most : 0)}
      footer={
        <Link href="/keys" class="panel-link">
          All keys
        </Link>
      }
      empty="No key was used in this range."
      columns={[
        { name: 'Key', cell: (row) => <KeyLink keyId={row.group} name={names.get(row.group)} view={view} /> },
        { name: 'Requests', numeric: true, cell: (row) => formatCount(row.requests) },
        { name: 'Change', numeric: true, cell: (row) => <span class="dim">{change(row)}</span> },
        { name: 'Errors', numeric: true, cell: (row) => <ErrorShare rate={row.error_rate} /> },
      ]}
    />
  );
}

export function FailingKeysTable({ groups, names, view }: Omit<UsedKeysProps, 'before'>) {
  return (
    <RankedTable
      title="High error rate"
      note="5% or more of at least 20 requests"
      testId="failing-keys-table"
      rows={failingGroups(groups)}
      rowKey={(row) => row.group}
      short={5}
      empty="No key fails more than 5% of its requests."
      columns={[
        { name: 'Key', cell: (row) => <KeyLink keyId={row.group} name={names.get(row.group)} view={view} /> },
        { name: 'Failed', numeric: true, cell: (row) => formatCount(row.client_errors + row.server_errors) },
        { name: 'Errors', numeric: true, cell: (row) => <ErrorShare rate={row.error_rate} /> },
      ]}
    />
  );
}

interface ListedKeysProps {
  keys: readonly ApiKey[];
  view: TimeView;
  now: number;
}

/** Newest first: a key nobody registered may be a leak, a typo, or simply a new customer. */
export function DiscoveredTable({ keys, view, now }: ListedKeysProps) {
  const rows = [...keys].sort((a, b) => (b.tracking_since ?? '').localeCompare(a.tracking_since ?? ''));
  return (
    <RankedTable
      title="Recently discovered"
      note="In use, but not registered"
      testId="discovered-table"
      rows={rows}
      rowKey={(row) => row.key_id}
      short={5}
      footer={
        <Link href="/keys?status=discovered" class="panel-link">
          All discovered keys
        </Link>
      }
      empty="Every key in use is registered."
      columns={[
        { name: 'Key', cell: (row) => <KeyLink keyId={row.key_id} name={row.name} view={view} /> },
        { name: 'Requests', numeric: true, cell: (row) => formatCount(row.total_requests) },
        {
          name: 'First seen',
          numeric: true,
          cell: (row) => (row.tracking_since ? relativeTime(row.tracking_since, now) : '–'),
        },
      ]}
    />
  );
}

/** Among the busiest keys: the others are far from any limit that matters. */
export function NearLimitTable({ keys, view }: Omit<ListedKeysProps, 'now'>) {
  const rows = keys
    .map((key) => ({ key, use: tightestLimit(key) }))
    .filter((row): row is { key: ApiKey; use: LimitUse } => (row.use?.share ?? 0) >= NEAR_LIMIT)
    .sort((a, b) => b.use.share - a.use.share);
  if (rows.length === 0) return null;
  return (
    <RankedTable
      title="Near their limit"
      testId="near-limit-table"
      rows={rows}
      rowKey={({ key }) => key.key_id}
      short={5}
      empty=""
      columns={[
        { name: 'Key', cell: ({ key }) => <KeyLink keyId={key.key_id} name={key.name} view={view} /> },
        { name: 'Limit', numeric: true, cell: ({ use }) => `${formatCompact(use.limit)} ${use.period}` },
        {
          name: 'In use',
          numeric: true,
          cell: ({ use }) => <span class={use.share >= 1 ? 'bad' : 'warn'}>{formatPercent(use.share)}</span>,
        },
      ]}
    />
  );
}

export function UnusedTable({ keys, view, now }: ListedKeysProps) {
  return (
    <RankedTable
      title="Unused for 90 days"
      note="A key nobody uses is only a risk"
      testId="unused-table"
      rows={keys}
      rowKey={(row) => row.key_id}
      short={5}
      footer={
        <Link href="/keys?unused_days=90" class="panel-link">
          All unused keys
        </Link>
      }
      empty="Every key was used within the last 90 days."
      columns={[
        { name: 'Key', cell: (row) => <KeyLink keyId={row.key_id} name={row.name} view={view} /> },
        {
          name: 'Last used',
          numeric: true,
          cell: (row) => (row.last_used ? relativeTime(row.last_used.at, now) : <span class="dim">never</span>),
        },
      ]}
    />
  );
}
