import type { ComponentChildren } from 'preact';
import { Link } from '../address/link.tsx';
import { useTitle } from '../address/use-title.ts';
import type { PageProps } from '../console/page-props.ts';
import type { Policy } from '../http/contract/policies.ts';
import { useResource } from '../http/use-resource.ts';
import { type DataColumn, TablePanel } from '../panels/data-table.tsx';
import { HostileText } from '../panels/hostile-text.tsx';
import { OnOff } from '../panels/on-off.tsx';
import { Part } from '../panels/part.tsx';
import { KIND_NAMES, meaningOf, scopeOf, warningsOf } from './policy-words.ts';

/** Rules that deactivate keys by themselves. */
export function PoliciesPage({ api, rights }: PageProps) {
  useTitle('Policies');
  const policies = useResource('policies', (signal) => api.get<{ data: Policy[] }>('/v1/policies', {}, signal));
  const make = (
    <Link href="/policies/new" class="button primary">
      New policy
    </Link>
  );
  return (
    <main class="page">
      <div class="page-title">
        <h1>Deactivation policies</h1>
        {rights.manage && <span class="title-actions">{make}</span>}
      </div>
      <p class="page-lead">
        A policy deactivates keys that are unused, abusive, leaked or expired. Every run can be previewed before it
        happens and undone after.
      </p>
      <Part of={policies} what="The policies">
        {({ data }) => <PoliciesTable policies={data} make={rights.manage && make} />}
      </Part>
    </main>
  );
}

const COLUMNS: DataColumn<Policy>[] = [
  {
    name: 'Policy',
    cell: (row) => (
      <Link href={`/policies/${row.policy_id}`} class="key-link">
        <HostileText value={row.name} />
      </Link>
    ),
  },
  { name: 'State', cell: (row) => <OnOff on={row.enabled} /> },
  { name: 'Kind', cell: (row) => KIND_NAMES[row.kind], look: 'wide-only' },
  { name: 'Deactivates', cell: (row) => meaningOf(row), look: 'wraps' },
  { name: 'Among', cell: (row) => <HostileText value={scopeOf(row)} />, look: 'wide-only' },
  { name: 'Warning', cell: (row) => warningsOf(row), look: 'wide-only' },
];

interface PoliciesTableProps {
  policies: Policy[];
  /** The way to a new one, for those who may. */
  make: ComponentChildren;
}

function PoliciesTable({ policies, make }: PoliciesTableProps) {
  return (
    <TablePanel
      caption="Deactivation policies"
      testId="policies-table"
      rows={policies}
      rowKey={(row) => row.policy_id}
      empty={
        <>
          <p>No policy yet. Keys are deactivated by hand, and when they expire.</p>
          <p>A good first one: keys not used for 90 days, warned 7 days and 1 day before.</p>
          {make && <p>{make}</p>}
        </>
      }
      columns={COLUMNS}
    />
  );
}
