import { formatCount } from '../format/number.ts';
import type { ApiClient } from '../http/client.ts';
import type { InvariantReport } from '../http/contract/system.ts';
import { useResource } from '../http/use-resource.ts';
import { TablePanel } from '../panels/data-table.tsx';
import { HostileText } from '../panels/hostile-text.tsx';
import { Part } from '../panels/part.tsx';
import { Moment } from '../time/moment.tsx';

/** What must always hold of the counts, and whether it does. */
export function Invariants({ api }: { api: ApiClient }) {
  const report = useResource('invariants', (signal) => api.get<InvariantReport>('/v1/invariants', {}, signal));
  return (
    <Part of={report} what="The check of the counts">
      {(found) => <InvariantsTable report={found} />}
    </Part>
  );
}

function InvariantsTable({ report: { checked_at, invariants } }: { report: InvariantReport }) {
  const broken = invariants.filter(({ violations }) => violations !== 0);
  const others = invariants.filter(({ violations }) => violations === 0);
  return (
    <TablePanel
      title="What must hold"
      caption="What must hold"
      note={checked_at ? <Moment at={checked_at} /> : undefined}
      testId="invariants"
      rows={[...broken, ...others]}
      rowKey={(row) => row.name}
      empty="Not checked yet. Once an hour every count is compared with every other."
      columns={[
        { name: 'Rule', look: 'wraps', cell: (row) => row.says },
        {
          name: 'Holds',
          cell: ({ violations }) =>
            violations === 0 ? (
              <span class="good">yes</span>
            ) : (
              <span class="bad">
                {violations < 0
                  ? 'could not be checked'
                  : violations === 1
                    ? 'no, once'
                    : `no, ${formatCount(violations)} times`}
              </span>
            ),
        },
        { name: 'For example', look: 'wide-only', cell: (row) => <HostileText value={row.examples.join(', ')} /> },
      ]}
    />
  );
}
