import { formatCount } from '../format/number.ts';
import type { ApiClient } from '../http/client.ts';
import { useResource } from '../http/use-resource.ts';
import { TablePanel } from '../panels/data-table.tsx';
import { HostileText } from '../panels/hostile-text.tsx';
import { Moment } from '../time/moment.tsx';

interface Report {
  checked_at: string | null;
  invariants: { name: string; says: string; violations: number; examples: string[] }[];
}

/** What must always hold of the counts, and whether it does. Not there in installations without the route. */
export function Invariants({ api }: { api: ApiClient }) {
  const report = useResource('invariants', (signal) => api.get<Report>('/v1/invariants', {}, signal));
  if (!report.data) return null;
  const { checked_at, invariants } = report.data;
  return (
    <TablePanel
      title="What must hold"
      caption="What must hold"
      note={checked_at ? <Moment at={checked_at} /> : undefined}
      testId="invariants"
      rows={invariants}
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
                {violations < 0 ? 'could not be checked' : `no, ${formatCount(violations)} times`}
              </span>
            ),
        },
        { name: 'For example', look: 'wide-only', cell: (row) => <HostileText value={row.examples.join(', ')} /> },
      ]}
    />
  );
}
