import { Link } from '../address/link.tsx';
import { keyPath } from '../address/route.ts';
import { relativeChange } from '../format/change.ts';
import { formatCompact, formatCount, formatPercent } from '../format/number.ts';
import type { ApiKey } from '../http/contract/keys.ts';
import type { UsageGroup } from '../http/contract/usage.ts';
import { ErrorShare } from '../panels/error-share.tsx';
import { HostileText } from '../panels/hostile-text.tsx';
import { type RankedColumn, RankedTable, type RankedTableProps } from '../panels/ranked-table.tsx';
import { relativeTime } from '../time/label.ts';
import type { TimeView } from '../time/time-view.ts';
import { NEAR_LIMIT, tightestLimit } from '../usage-tab/limit-use.ts';
import { writeOverviewView } from './overview-view.ts';
import { failingGroups, groupsByName, isCut, LISTED_KEYS, moversOf } from './totals.ts';

type KeyTableProps<Row> = Omit<RankedTableProps<Row>, 'rowKey' | 'columns'> & {
  view: TimeView;
  /** Which key a row is about. */
  keyOf: (row: Row) => { id: string; name: string | null | undefined };
  /** Beside the key itself. */
  columns: RankedColumn<Row>[];
  all?: { href: string; name: string };
};

/** What the overview's lists of keys share: the first cell opens the key in the range that is being looked at. */
function KeyTable<Row>({ view, keyOf, columns, all, ...table }: KeyTableProps<Row>) {
  const key: RankedColumn<Row> = {
    name: 'Key',
    cell: (row) => {
      const { id, name } = keyOf(row);
      return (
        <Link href={`${keyPath(id)}?${writeOverviewView(view)}`} class="row-filter">
          <HostileText value={name || id} class={name ? '' : 'mono'} />
          {name && <HostileText value={id} class="mono dim" />}
        </Link>
      );
    },
  };
  return (
    <RankedTable
      short={5}
      {...table}
      rowKey={(row) => keyOf(row).id}
      columns={[key, ...columns]}
      footer={
        all && (
          <Link href={all.href} class="panel-link">
            {all.name}
          </Link>
        )
      }
    />
  );
}

interface UsedKeysProps {
  groups: readonly UsageGroup[];
  before: readonly UsageGroup[] | undefined;
  names: ReadonlyMap<string, string | null>;
  view: TimeView;
}

/** Said of lists that may lack the very key somebody looks for. */
const BUSIEST = `of the ${formatCount(LISTED_KEYS)} busiest keys`;
const cutNote = (note: string, cut: boolean) => (cut ? `${note}, ${BUSIEST}` : note);
const noKey = (cut: boolean) => (cut ? `None ${BUSIEST}` : 'No key');

export function TopKeysTable({ groups, before, names, view }: UsedKeysProps) {
  const most = groups[0]?.requests ?? 0;
  const earlier = groupsByName(before);
  // Missing from a cut list, a key may have sent something all the same.
  const unlisted = before && !isCut(before) ? 0 : null;
  const change = (row: UsageGroup) =>
    relativeChange(row.requests, earlier.get(row.group)?.requests ?? unlisted).text || '–';
  return (
    <KeyTable
      title="Top keys"
      testId="keys-table"
      short={30}
      rows={groups}
      keyOf={({ group }) => ({ id: group, name: names.get(group) })}
      view={view}
      weight={(row) => (most ? row.requests / most : 0)}
      all={{ href: '/keys', name: 'All keys' }}
      empty="No key was used in this range."
      columns={[
        { name: 'Requests', numeric: true, cell: (row) => formatCount(row.requests) },
        { name: 'Change', numeric: true, cell: (row) => <span class="dim">{change(row)}</span> },
        { name: 'Errors', numeric: true, cell: (row) => <ErrorShare rate={row.error_rate} /> },
      ]}
    />
  );
}

export function MoversTable({ groups, before = [], names, view }: UsedKeysProps) {
  const cut = isCut(groups) || isCut(before);
  const signed = (count: number) => `${count > 0 ? '+' : '\u2212'}${formatCount(Math.abs(count))}`;
  return (
    <KeyTable
      title="Top movers"
      note={cutNote('Against the period before', cut)}
      testId="movers-table"
      rows={moversOf(groups, before, 20)}
      keyOf={({ group }) => ({ id: group, name: names.get(group) })}
      view={view}
      empty={`${noKey(cut)} changed much against the period before.`}
      columns={[
        { name: 'Requests', numeric: true, cell: (row) => signed(row.requests - row.before) },
        {
          name: 'Change',
          numeric: true,
          cell: (row) => (row.requests === 0 ? 'stopped' : relativeChange(row.requests, row.before).text),
        },
      ]}
    />
  );
}

export function FailingKeysTable({ groups, names, view }: Omit<UsedKeysProps, 'before'>) {
  const cut = isCut(groups);
  return (
    <KeyTable
      title="High error rate"
      note={cutNote('5% or more of at least 20 requests', cut)}
      testId="failing-keys-table"
      rows={failingGroups(groups)}
      keyOf={({ group }) => ({ id: group, name: names.get(group) })}
      view={view}
      empty={`${noKey(cut)} fails more than 5% of its requests.`}
      columns={[
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

const listedKey = ({ key_id: id, name }: ApiKey) => ({ id, name });

export function ExpiringTable({ keys, view, now }: ListedKeysProps) {
  return (
    <KeyTable
      title="Expiring soon"
      note="Within 30 days"
      testId="expiring-table"
      rows={keys}
      keyOf={listedKey}
      view={view}
      all={{ href: '/keys?expires_within_days=30&sort=expires_at', name: 'All that expire within 30 days' }}
      empty="No key expires within 30 days."
      columns={[
        { name: 'Last used', numeric: true, cell: (row) => <LastUse apiKey={row} now={now} /> },
        {
          name: 'Expires',
          numeric: true,
          cell: (row) => <span class="warn">{row.expires_at && relativeTime(row.expires_at, now)}</span>,
        },
      ]}
    />
  );
}

/** Newest first: a key nobody registered may be a leak, a typo, or simply a new customer. */
export function DiscoveredTable({ keys, view, now }: ListedKeysProps) {
  return (
    <KeyTable
      title="Recently discovered"
      note="In use, but not registered"
      testId="discovered-table"
      rows={[...keys].sort((a, b) => (b.tracking_since ?? '').localeCompare(a.tracking_since ?? ''))}
      keyOf={listedKey}
      view={view}
      all={{ href: '/keys?status=discovered', name: 'All discovered keys' }}
      empty="Every key in use is registered."
      columns={[
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

export function NearLimitTable({ keys, view }: Omit<ListedKeysProps, 'now'>) {
  const rows = keys.flatMap((key) => {
    const use = tightestLimit(key);
    return use ? [{ key, use }] : [];
  });
  return (
    <KeyTable
      title="Near their limit"
      note={`${formatPercent(NEAR_LIMIT)} or more of it in use`}
      testId="near-limit-table"
      rows={rows}
      keyOf={({ key }) => listedKey(key)}
      view={view}
      all={{
        href: `/keys?limit_used_percent=${100 * NEAR_LIMIT}&sort=-limit_used`,
        name: 'All that are near their limit',
      }}
      empty={`No key has used ${formatPercent(NEAR_LIMIT)} of a limit.`}
      columns={[
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
    <KeyTable
      title="Unused for 90 days"
      note="Watched for as long, and not used"
      testId="unused-table"
      rows={keys}
      keyOf={listedKey}
      view={view}
      all={{ href: '/keys?unused_days=90', name: 'All unused keys' }}
      empty="No key that is known for 90 days went unused."
      columns={[{ name: 'Last used', numeric: true, cell: (row) => <LastUse apiKey={row} now={now} /> }]}
    />
  );
}

function LastUse({ apiKey, now }: { apiKey: ApiKey; now: number }) {
  return apiKey.last_used ? <span>{relativeTime(apiKey.last_used.at, now)}</span> : <span class="dim">never</span>;
}
