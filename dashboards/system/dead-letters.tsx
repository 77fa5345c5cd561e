import { formatCount } from '../format/number.ts';
import type { ApiClient } from '../http/client.ts';
import { useResource } from '../http/use-resource.ts';
import { TablePanel } from '../panels/data-table.tsx';
import { HostileText } from '../panels/hostile-text.tsx';
import { ProblemPanel } from '../panels/problem-panel.tsx';
import { Moment } from '../time/moment.tsx';

interface DeadLetter {
  id: string;
  at: string;
  batch_id: string;
  rows: number;
  reason: string;
  sample: string;
  outcome: string;
}

/** Records that could not be counted, with the reason. */
export function DeadLetters({ api }: { api: ApiClient }) {
  const letters = useResource('dead letters', (signal) =>
    api.get<{ data: DeadLetter[] }>('/v1/dead-letters', {}, signal),
  );
  if (letters.problem && letters.problem.status !== 404) {
    return <ProblemPanel what="The dead letters" problem={letters.problem} onRetry={letters.retry} />;
  }
  if (!letters.data) return null;
  return (
    <TablePanel
      title="Dead letters"
      caption="Dead letters"
      note="Records that could not be counted; nothing of them is lost"
      testId="dead-letters"
      rows={letters.data.data}
      rowKey={(row) => row.id}
      empty="No record was left out. One the store refuses lands here with its reason, and can be tried again."
      columns={[
        { name: 'Batch', cell: (row) => <HostileText value={row.batch_id} class="mono" /> },
        { name: 'When', cell: (row) => <Moment at={row.at} /> },
        { name: 'Records', numeric: true, cell: (row) => formatCount(row.rows) },
        { name: 'State', cell: (row) => row.outcome },
        { name: 'Reason', cell: (row) => <HostileText value={row.reason} />, look: 'wraps' },
      ]}
    />
  );
}
